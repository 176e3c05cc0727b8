import { isActionsGroup, type SpotlightActionData, type SpotlightActionGroupData, type SpotlightFilterFunction } from '@mantine/spotlight';

export const MOST_PER_SECTION = 7;

/** `>` and `#` in front of the words choose one section. */
export function splitQuery(query: string): { only: 'actions' | 'apps' | null; words: string } {
  const text = query.trim();
  if (text.startsWith('>')) return { only: 'actions', words: text.slice(1).trim() };
  if (text.startsWith('#')) return { only: 'apps', words: text.slice(1).trim() };
  return { only: null, words: text };
}

function matches(action: SpotlightActionData, words: string): boolean {
  const text = [action.label, action.description, ...[action.keywords ?? []].flat()].join(' ').toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/**
 * At most seven of each section. Ids tell the section: `action-…`, `app-…`, `record-…` (found by the server, so
 * all of them fit), `recent-…` (only while nothing is typed), and pages.
 */
export const filterPalette: SpotlightFilterFunction = (query, groups) => {
  const { only, words } = splitQuery(query);
  const sections: SpotlightActionGroupData[] = groups.flatMap((group) => {
    // The palette has sections only.
    if (!isActionsGroup(group)) return [];
    const fitting = group.actions.filter(({ id, ...action }) => {
      if (only === 'actions' && !id.startsWith('action-')) return false;
      if (only === 'apps' && !id.startsWith('app-')) return false;
      if (id.startsWith('recent-')) return words === '' && only === null;
      return id.startsWith('record-') || words === '' || matches({ id, ...action }, words);
    });
    return fitting.length > 0 ? [{ ...group, actions: fitting.slice(0, MOST_PER_SECTION) }] : [];
  });
  return sections;
};
