import { Button, FileButton, Text } from '@mantine/core';
import { IconPhotoUp } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { PICTURE_TYPES, PictureRefused, readPicture } from './picture';

interface Props {
  /** Gets the picture as a small `data:` address. */
  onPicture: (address: string) => void;
  label: string;
}

/** Chooses a picture file; says at once why one cannot be used. */
export function PictureButton({ onPicture, label }: Props) {
  const { t } = useTranslation('ui');
  const [problem, setProblem] = useState<string | null>(null);
  const take = async (file: File | null) => {
    if (!file) return;
    try {
      onPicture(await readPicture(file));
      setProblem(null);
    } catch (error) {
      if (!(error instanceof PictureRefused)) throw error;
      setProblem(t(error.reason));
    }
  };
  return (
    <div>
      <FileButton onChange={(file) => void take(file)} accept={PICTURE_TYPES}>
        {(props) => (
          <Button {...props} size="xs" variant="default" leftSection={<IconPhotoUp size={16} aria-hidden />}>
            {label}
          </Button>
        )}
      </FileButton>
      {problem && (
        <Text size="xs" c="var(--mantine-color-error)" role="alert" mt={4}>
          {problem}
        </Text>
      )}
    </div>
  );
}
