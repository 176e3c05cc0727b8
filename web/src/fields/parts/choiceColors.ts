/** Colour names offered for choices; they follow the theme. */
export const CHOICE_COLORS = ['gray', 'red', 'orange', 'yellow', 'green', 'teal', 'blue', 'indigo', 'violet', 'pink'] as const;

/** CSS colour of a stored colour: one of our names, or any colour text from elsewhere. */
export function choiceColor(color: string): string {
  return (CHOICE_COLORS as readonly string[]).includes(color) ? `var(--mantine-color-${color}-6)` : color;
}
