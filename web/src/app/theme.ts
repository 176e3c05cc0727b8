import {
  Alert, type AlertCssVariables, type AlertProps, createTheme, type CSSVariablesResolver, type MantineColorsTuple, type MantineThemeOverride, Menu, Modal, Tooltip,
} from '@mantine/core';

/** Lagoon green-blue; shade 7 on white and shade 4 on the dark background keep 4.5:1. */
const lagoon: MantineColorsTuple = [
  '#e6f7f8', '#d3eced', '#a7d9dc', '#78c5ca', '#51b4ba', '#389fa7', '#1f8089', '#0b6e78', '#0a5f68', '#064d55',
];

/** Greys of the dark scheme with the same slight blue as the surfaces. */
const dark: MantineColorsTuple = [
  '#c9d2d8', '#b4bec5', '#8b98a1', '#66727b', '#3d474e', '#343d44', '#262d32', '#1c2226', '#171c1f', '#111517',
];

const ALERT_STATES: Record<string, string> = { red: 'bad', yellow: 'warn', green: 'good', blue: 'busy' };

/** Light alerts use the colours of states, whose text keeps its contrast. */
function alertColors({ color, variant = 'light' }: AlertProps): Partial<Record<AlertCssVariables['root'], string>> {
  const state = variant === 'light' && typeof color === 'string' ? ALERT_STATES[color] : undefined;
  return state ? { '--alert-color': `var(--state-${state}-text)`, '--alert-bg': `var(--state-${state}-tint)` } : {};
}

/** Names for controls that components make themselves, in the person's language. */
interface Words {
  close: string;
}

export function themeFor(words: Words): MantineThemeOverride {
  return createTheme({
    primaryColor: 'lagoon',
    primaryShade: { light: 7, dark: 6 },
    colors: { lagoon, dark },
    defaultRadius: 'md',
    cursorType: 'pointer',
    respectReducedMotion: true,
    autoContrast: true,
    fontFamily:
      'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
    fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
    headings: { fontWeight: '650' },
    components: {
      Alert: Alert.extend({ vars: (_, props) => ({ root: alertColors(props) }) }),
      // The type of default props leaves out the attributes that every element has.
      CloseButton: { defaultProps: { 'aria-label': words.close } },
      // A menu may have only entries as children; the focus goes to its first one.
      Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
      Modal: Modal.extend({ defaultProps: { centered: true } }),
      Tooltip: Tooltip.extend({ defaultProps: { events: { hover: true, focus: true, touch: true }, openDelay: 300 } }),
    },
  });
}

/** Colours of states. Text on its tint keeps 4.5:1 in both schemes; never the only signal. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {
    '--shell-header': '52px',
    '--shell-sidebar': '240px',
    '--shell-rail': '56px',
  },
  light: {
    '--mantine-color-dimmed': '#5b6570',
    '--mantine-color-placeholder': '#6b7580',
    '--mantine-color-error': '#c02020',
    '--page-background': '#f6f8f9',
    '--surface': '#ffffff',
    '--line': '#dde3e7',
    '--state-good-text': '#14632c',
    '--state-good-tint': '#e0f5e6',
    '--state-busy-text': '#174f94',
    '--state-busy-tint': '#e3effc',
    '--state-idle-text': '#47525c',
    '--state-idle-tint': '#eceff2',
    '--state-bad-text': '#a11a1a',
    '--state-bad-tint': '#fde7e7',
    '--state-warn-text': '#7a4a00',
    '--state-warn-tint': '#fdf0d5',
  },
  dark: {
    '--mantine-color-dimmed': '#a3adb6',
    '--mantine-color-placeholder': '#97a1ab',
    '--mantine-color-error': '#ff9c9c',
    '--page-background': '#14181b',
    '--surface': '#1c2226',
    '--line': '#343d44',
    '--mantine-color-body': '#1c2226',
    '--state-good-text': '#86e0a2',
    '--state-good-tint': '#17351f',
    '--state-busy-text': '#9cc8fb',
    '--state-busy-tint': '#182f4a',
    '--state-idle-text': '#c3ccd4',
    '--state-idle-tint': '#2c343a',
    '--state-bad-text': '#ffa8a8',
    '--state-bad-tint': '#472020',
    '--state-warn-text': '#f5cb7a',
    '--state-warn-tint': '#41310f',
  },
});
