/** Digits as people and spreadsheets write them, with a point before the decimals: "1,284.50" and "12,5" are both numbers. */
export function withPoint(input: string): string {
  const text = input.trim().replaceAll(/[\s_]/g, '');
  if (/^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/.test(text)) return text.replaceAll(',', '');
  return text.replace(',', '.');
}
