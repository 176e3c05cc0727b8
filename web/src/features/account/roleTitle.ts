import i18next from 'i18next';

/** A role's title as people wrote it; that of a built-in role is a key of the texts, such as `{{t("Member")}}`. */
export function roleTitle(title: string): string {
  const key = /^\{\{\s*t\(["'](.+?)["']\)\s*\}\}$/.exec(title)?.[1];
  return key ? i18next.t(`roles.${key}`, { ns: 'account', defaultValue: key }) : title;
}
