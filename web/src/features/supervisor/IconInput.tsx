import { Button, CheckIcon, ColorSwatch, Group, Input, Stack, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';

import { PictureButton } from '../../ui/PictureButton';
import { AppIcon, COLOURS, iconKind } from './AppIcon';
import classes from './IconInput.module.css';

interface Props {
  value: string;
  onChange: (icon: string) => void;
  /** For the preview. */
  name: string;
  displayName: string;
  error?: string | undefined;
}

/** A picture, a sign or a colour, with what it will look like. */
export function IconInput({ value, onChange, name, displayName, error }: Props) {
  const { t } = useTranslation('supervisor');
  const { picture, hue, sign } = iconKind(value);
  return (
    <Input.Wrapper label={t('form.icon')} description={t('form.iconHint')} error={error} labelElement="div">
      <Group gap="md" mt="xs" align="flex-start" wrap="nowrap">
        <AppIcon app={{ name: name || 'a', displayName: displayName || name, icon: value }} size={56} />
        <Stack gap="xs" className={classes.ways}>
          <Group gap="xs" align="flex-start">
            <PictureButton label={t('form.iconUpload')} onPicture={onChange} />
            <TextInput
              size="xs"
              w={130}
              maxLength={8}
              aria-label={t('form.iconSign')}
              placeholder={t('form.iconSign')}
              value={sign ?? ''}
              onChange={(event) => onChange(event.currentTarget.value)}
            />
            {(picture ?? sign ?? hue) !== undefined && (
              <Button size="xs" variant="subtle" color="gray" onClick={() => onChange('')}>
                {t('form.iconNone')}
              </Button>
            )}
          </Group>
          <Group gap={4} role="group" aria-label={t('form.iconColour')}>
            {COLOURS.map((colour, index) => {
              const chosen = value === colour;
              return (
                <ColorSwatch
                  key={colour}
                  component="button"
                  type="button"
                  size={24}
                  radius="sm"
                  color={`hsl(${iconKind(colour).hue} 55% 34%)`}
                  aria-pressed={chosen}
                  aria-label={t('form.iconColourNumber', { number: index + 1 })}
                  className={classes.swatch}
                  onClick={() => onChange(colour)}
                >
                  {chosen && <CheckIcon size={12} color="#fff" />}
                </ColorSwatch>
              );
            })}
          </Group>
        </Stack>
      </Group>
    </Input.Wrapper>
  );
}
