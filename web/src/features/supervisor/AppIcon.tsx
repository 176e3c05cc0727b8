import { useState } from 'react';

import { useLogo } from '../../app/account';
import logo from '../../assets/icon.svg';
import classes from './AppIcon.module.css';
import { type ShownApp, titleOf } from './model';

const HUES = 12;
const STEP = 360 / HUES;

/** Colours to choose from, as an app's icon `hue:<degrees>`. */
export const COLOURS = Array.from({ length: HUES }, (_, index) => `hue:${index * STEP}`);

/** The same app has the same colour everywhere. */
export function hueOf(name: string): number {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return (sum % HUES) * STEP;
}

/** What an icon is: a picture, a colour for the first letter, a sign such as an emoji, or nothing. */
export function iconKind(icon: string | null | undefined): { picture?: string; hue?: number; sign?: string } {
  const text = icon?.trim();
  if (!text) return {};
  if (text.startsWith('data:image/') || text.startsWith('/api/')) return { picture: text };
  const hue = /^hue:(\d{1,3})$/.exec(text)?.[1];
  return hue === undefined ? { sign: text } : { hue: Number(hue) };
}

interface Props {
  app: Pick<ShownApp, 'name' | 'displayName' | 'icon'>;
  size?: number;
}

/** The chosen picture or sign, or the first letter on the app's own colour. Decoration: the name stands beside it. */
export function AppIcon({ app, size = 28 }: Props) {
  const own = useLogo();
  const [broken, setBroken] = useState<string | null>(null);
  const main = app.name === 'main';
  const { picture, hue, sign } = iconKind(main ? own : app.icon);
  if (picture && picture !== broken) {
    return (
      <img
        src={picture}
        width={size}
        height={size}
        alt=""
        className={classes.picture}
        // On a domain of its own an app cannot reach the pictures of the entry point.
        onError={() => setBroken(picture)}
      />
    );
  }
  if (main) return <img src={logo} width={size} height={size} alt="" className={classes.logo} />;
  const initial = [...titleOf(app)][0]?.toUpperCase() ?? '?';
  return (
    <span
      className={classes.icon}
      data-sign={sign ? true : undefined}
      aria-hidden
      ref={(element) => {
        // Set through the object model: a policy without inline styles allows this.
        element?.style.setProperty('--icon-hue', String(hue ?? hueOf(app.name)));
        element?.style.setProperty('--icon-size', `${size}px`);
      }}
    >
      {sign || initial}
    </span>
  );
}
