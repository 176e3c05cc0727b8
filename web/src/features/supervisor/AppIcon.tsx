import logo from '../../assets/icon.svg';
import classes from './AppIcon.module.css';
import { type ShownApp, titleOf } from './model';

const HUES = 12;

/** The same app has the same colour everywhere. */
export function hueOf(name: string): number {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return (sum % HUES) * (360 / HUES);
}

/** The chosen sign, or the first letter on the app's own colour. Decoration: the name always stands beside it. */
export function AppIcon({ app, size = 28 }: { app: Pick<ShownApp, 'name' | 'displayName' | 'icon'>; size?: number }) {
  if (app.name === 'main') return <img src={logo} width={size} height={size} alt="" className={classes.logo} />;
  const sign = app.icon?.trim();
  const initial = [...titleOf(app)][0]?.toUpperCase() ?? '?';
  return (
    <span
      className={classes.icon}
      data-sign={sign ? true : undefined}
      aria-hidden
      ref={(element) => {
        // Set through the object model: a policy without inline styles allows this.
        element?.style.setProperty('--icon-hue', String(hueOf(app.name)));
        element?.style.setProperty('--icon-size', `${size}px`);
      }}
    >
      {sign || initial}
    </span>
  );
}
