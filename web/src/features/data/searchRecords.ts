/** Records by the text of their title, across the collections of this app; for the palette. */
import { api } from '../../app/api';
import { queryClient } from '../../app/queries';
import { interfaceOf } from '../../fields';
import { collectionTitle, editableFields, keyField, recordTitle, titleField, type RecordRow } from './model';
import { collectionsQuery } from './queries';

export interface FoundRecord {
  collection: string;
  collectionTitle: string;
  key: string;
  title: string;
}

/** Collections of this app that people fill, for the palette: where a list leads, and where a record can be made. */
export async function knownCollections(): Promise<{ name: string; title: string; isWritable: boolean }[]> {
  return (await queryClient.ensureQueryData(collectionsQuery))
    .filter((collection) => collection.system !== true)
    .map((collection) => ({ name: collection.name, title: collectionTitle(collection), isWritable: editableFields(collection).length > 0 }));
}

/** More collections would mean a request each for every word that is typed. */
const MOST_COLLECTIONS = 8;
const PER_COLLECTION = 3;

export async function searchRecords(text: string, signal: AbortSignal): Promise<FoundRecord[]> {
  const collections = (await queryClient.ensureQueryData(collectionsQuery))
    .filter((collection) => collection.system !== true)
    .flatMap((collection) => {
      const title = titleField(collection);
      const key = keyField(collection);
      return title && key && interfaceOf(title).searchable ? [{ collection, title, key }] : [];
    })
    .slice(0, MOST_COLLECTIONS);
  const found = await Promise.all(
    collections.map(async ({ collection, title, key }) => {
      const params = { filter: { [title.name]: { $includes: text } }, pageSize: PER_COLLECTION };
      const { data } = await api.resource<RecordRow>(collection.name).list(params, signal);
      return data.map((row) => ({
        collection: collection.name,
        collectionTitle: collectionTitle(collection),
        key: String(row[key]),
        title: recordTitle(collection, row),
      }));
    }),
  );
  return found.flat();
}
