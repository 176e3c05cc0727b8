/**
 * The API's filter grammar (`{"$and":[{"name":{"$includes":"a"}}]}`) and the tree
 * the filter builder edits. What the builder cannot show is kept as it is ('raw').
 */

export type Filter = Record<string, unknown>;

export interface Condition {
  kind: 'condition';
  /** Field name, or a path through relations ("customer.name"). */
  path: string;
  /** Wire name ("$includes"); "between" stands for $gte and $lte together. */
  operator: string;
  value: unknown;
}

export interface Group {
  kind: 'group';
  op: '$and' | '$or';
  items: FilterNode[];
}

/** A part of a filter that was not made by the builder; shown as one pill, sent unchanged. */
export interface Raw {
  kind: 'raw';
  filter: Filter;
}

export type FilterNode = Condition | Group | Raw;

/** Two bounds as one condition; the wire form is `{"$gte":a,"$lte":b}`. */
export const BETWEEN = 'between';
/** Operators without a value; the wire wants `true`. */
export const UNARY = new Set(['$empty', '$notEmpty', '$isTruly', '$isFalsy', '$exists', '$notExists']);
export const MAX_DEPTH = 3;

export const emptyGroup = (): Group => ({ kind: 'group', op: '$and', items: [] });

export function isFilter(value: unknown): value is Filter {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The tree of a filter; always a group, so that conditions can be added. */
export function parseFilter(filter: Filter | null | undefined): Group {
  if (!filter || Object.keys(filter).length === 0) return emptyGroup();
  const node = parseNode(filter);
  return node.kind === 'group' ? node : { kind: 'group', op: '$and', items: [node] };
}

function parseNode(filter: Filter): FilterNode {
  const entries = Object.entries(filter);
  if (entries.length > 1) {
    // Several keys in one object mean AND.
    return { kind: 'group', op: '$and', items: entries.map(([key, value]) => parseNode({ [key]: value })) };
  }
  const [entry] = entries;
  if (!entry) return { kind: 'raw', filter };
  const [key, value] = entry;
  if (key === '$and' || key === '$or') {
    if (!Array.isArray(value) || !value.every(isFilter)) return { kind: 'raw', filter };
    return { kind: 'group', op: key, items: value.map(parseNode) };
  }
  return key.startsWith('$') ? { kind: 'raw', filter } : parseField(key, value, filter);
}

function parseField(path: string, value: unknown, filter: Filter): FilterNode {
  if (value === null) return { kind: 'condition', path, operator: '$empty', value: true };
  if (Array.isArray(value)) return { kind: 'condition', path, operator: '$in', value };
  if (!isFilter(value)) return { kind: 'condition', path, operator: '$eq', value };
  const operators = Object.entries(value);
  if (!operators.every(([name]) => name.startsWith('$'))) {
    const nested = operators.length === 1 ? operators[0] : undefined;
    if (nested && isFilter(nested[1])) return parseField(`${path}.${nested[0]}`, nested[1], filter);
    return { kind: 'raw', filter };
  }
  if (operators.length === 2 && '$gte' in value && '$lte' in value) {
    return { kind: 'condition', path, operator: BETWEEN, value: [value.$gte, value.$lte] };
  }
  const [only] = operators;
  if (operators.length !== 1 || !only) return { kind: 'raw', filter };
  return { kind: 'condition', path, operator: only[0], value: only[1] };
}

/** True when the condition can be sent; half-made rows of the builder are left out. */
export function isComplete(condition: Condition): boolean {
  const { path, operator, value } = condition;
  if (!path || !operator) return false;
  if (UNARY.has(operator)) return true;
  if (operator === BETWEEN) return Array.isArray(value) && value.length === 2 && value.every(isFilled);
  if (Array.isArray(value)) return value.length > 0 && value.every(isFilled);
  return isFilled(value);
}

function isFilled(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && !(typeof value === 'number' && Number.isNaN(value));
}

/** The wire form of the tree; null when nothing in it is complete. */
export function formatFilter(node: FilterNode): Filter | null {
  if (node.kind === 'raw') return node.filter;
  if (node.kind === 'condition') return isComplete(node) ? formatCondition(node) : null;
  const parts = node.items.map(formatFilter).filter((part) => part !== null);
  return parts.length > 0 ? { [node.op]: parts } : null;
}

function formatCondition({ path, operator, value }: Condition): Filter {
  if (UNARY.has(operator)) return { [path]: { [operator]: true } };
  if (operator === BETWEEN && Array.isArray(value)) return { [path]: { $gte: value[0], $lte: value[1] } };
  return { [path]: { [operator]: value } };
}

/** Everything but groups, depth first, with the way to it. */
export function leaves(group: Group, way: number[] = []): { node: Condition | Raw; way: number[] }[] {
  return group.items.flatMap((node, index) =>
    node.kind === 'group' ? leaves(node, [...way, index]) : [{ node, way: [...way, index] }],
  );
}

/** Number of conditions that take part in the filter. */
export function countConditions(filter: Filter | null): number {
  return leaves(parseFilter(filter)).filter(({ node }) => node.kind === 'raw' || isComplete(node)).length;
}

/** A copy without the node at `way`; groups that become empty go too. */
export function removeAt(group: Group, way: number[]): Group {
  const [index, ...rest] = way;
  if (index === undefined) return group;
  if (rest.length === 0) return { ...group, items: group.items.filter((_, at) => at !== index) };
  const items = group.items.flatMap((node, at) => {
    if (at !== index || node.kind !== 'group') return [node];
    const child = removeAt(node, rest);
    return child.items.length > 0 ? [child] : [];
  });
  return { ...group, items };
}

/** A copy with another node at `way`. */
export function replaceAt(group: Group, way: number[], next: FilterNode): Group {
  const [index, ...rest] = way;
  if (index === undefined) return group;
  const items = group.items.map((node, at) => {
    if (at !== index) return node;
    return rest.length > 0 && node.kind === 'group' ? replaceAt(node, rest, next) : next;
  });
  return { ...group, items };
}

/** AND of the filters that are there; null when none is. */
export function bothFilters(...filters: (Filter | null | undefined)[]): Filter | null {
  const given = filters.filter((filter): filter is Filter => !!filter && Object.keys(filter).length > 0);
  const [first] = given;
  return given.length > 1 ? { $and: given } : (first ?? null);
}
