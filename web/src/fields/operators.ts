/** Operators a kind of field offers, by wire name; `between` stands for $gte with $lte. */
export const TEXT = ['$includes', '$notIncludes', '$eq', '$ne', '$startsWith', '$endWith', '$in', '$empty', '$notEmpty'] as const;
export const NUMBER = ['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', 'between', '$in', '$notIn', '$empty', '$notEmpty'] as const;
export const BOOLEAN = ['$isTruly', '$isFalsy'] as const;
export const DATE = [
  '$dateOn', '$dateNotOn', '$dateBefore', '$dateAfter', '$dateNotBefore', '$dateNotAfter', '$dateBetween', '$empty', '$notEmpty',
] as const;
export const CHOICE = ['$eq', '$ne', '$in', '$notIn', '$empty', '$notEmpty'] as const;
export const KEY = ['$eq', '$ne', '$in', '$empty', '$notEmpty'] as const;
export const PRESENCE = ['$empty', '$notEmpty'] as const;

const LISTS = new Set(['$in', '$notIn']);

/** The value may be several ones. */
export const takesList = (operator: string) => LISTS.has(operator);
