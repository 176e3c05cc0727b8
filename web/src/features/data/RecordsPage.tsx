import { Skeleton } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { CollectionGate } from './CollectionGate';
import { collectionTitle } from './model';
import { RecordsView } from './RecordsView';

/** `/admin/r/<collection>`: the records of a collection for the people who work with them. */
export function RecordsPage() {
  const { collection: name } = useParams({ from: '/admin/r/$collection' });
  return (
    <CollectionGate name={name} waiting={<Skeleton height={320} />}>
      {/* Another collection is another list: nothing is carried over. */}
      {(collection) => <RecordsView key={collection.name} collection={collection} title={collectionTitle(collection)} />}
    </CollectionGate>
  );
}
