/** As which of their roles somebody with several works in this app; kept in this browser until they sign out. */
import { boot } from './boot';
import { readStored, removeStored, writeStored } from './storage';

/** All roles at once, where the app allows it. */
export const ALL_ROLES = '__union__';

const KEY = `atoll.role.${boot.app}`;

export const actingRole = {
  /** Null: the server takes the person's usual one. */
  get: (): string | null => readStored(KEY),
  forget: (): void => removeStored(KEY),
  /** Menus, lists and rights all depend on it: the page begins anew. */
  choose: (name: string): void => {
    writeStored(KEY, name);
    window.location.assign(`${boot.basePath}/admin`);
  },
};
