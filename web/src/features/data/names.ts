/** Internal names made from titles. */

/** Identifiers of the database end here. */
export const MAX_NAME = 63;

/** "Créé le (UTC)" → "cree_le_utc"; '' when the title has no letter or digit of the Latin alphabet. */
export function nameFromTitle(title: string): string {
  const name = title
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 50);
  return /^\d/.test(name) ? `n_${name}` : name;
}

/** A name for a title, different from all in `taken`; random where the title gives none. */
export function freeName(title: string, taken: readonly string[], prefix: string): string {
  const base = nameFromTitle(title) || `${prefix}_${Math.random().toString(36).slice(2, 8)}`;
  let name = base;
  for (let number = 2; taken.includes(name); number += 1) name = `${base}_${number}`;
  return name;
}

/** Key of the message for a name that cannot be used; null when it can. */
export function checkName(name: string, taken: readonly string[]): string | null {
  if (name === '') return 'name.missing';
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return 'name.letters';
  if (name.length > MAX_NAME) return 'name.long';
  return taken.includes(name) ? 'name.taken' : null;
}
