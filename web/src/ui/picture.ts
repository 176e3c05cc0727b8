/** What the server accepts; see atoll/images.py. */
const TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const MOST_FILE_BYTES = 5_000_000;
const MOST_ADDRESS_LENGTH = 43_000;
/** Twice the largest place an icon is shown at. */
const PIXELS = 128;

export const PICTURE_TYPES = TYPES.join(',');

/** Why a file cannot be used, as a key of the namespace `ui`. */
export class PictureRefused extends Error {
  constructor(readonly reason: 'picture.type' | 'picture.size' | 'picture.unreadable') {
    super(reason);
    this.name = 'PictureRefused';
  }
}

export function checkFile(file: Pick<File, 'type' | 'size'>): void {
  if (!TYPES.includes(file.type)) throw new PictureRefused('picture.type');
  if (file.size > MOST_FILE_BYTES) throw new PictureRefused('picture.size');
}

/** The picture as a small square `data:` address; throws PictureRefused. */
export async function readPicture(file: File): Promise<string> {
  checkFile(file);
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new PictureRefused('picture.unreadable');
  }
  const canvas = document.createElement('canvas');
  canvas.width = PIXELS;
  canvas.height = PIXELS;
  const scale = Math.min(PIXELS / bitmap.width, PIXELS / bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  canvas.getContext('2d')?.drawImage(bitmap, (PIXELS - width) / 2, (PIXELS - height) / 2, width, height);
  const address = canvas.toDataURL('image/webp', 0.9);
  if (address.length > MOST_ADDRESS_LENGTH) throw new PictureRefused('picture.size');
  return address;
}
