import { Anchor, Breadcrumbs, Button, Skeleton, Tabs } from '@mantine/core';
import { IconTable, IconTrash } from '@tabler/icons-react';
import { Link, useNavigate, useParams, useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { mayConfigure, useAccount } from '../../app/account';
import { PageHeader } from '../../ui/PageHeader';
import { CollectionGate } from './CollectionGate';
import { CollectionSettings } from './CollectionSettings';
import { DeleteCollection } from './DeleteCollection';
import { FieldsTab } from './FieldsTab';
import { collectionTitle, type CollectionMeta } from './model';
import { RecordsView } from './RecordsView';

const PATH = '/admin/settings/data/$source/collections/$collection/$tab';
const TABS = ['fields', 'data', 'settings'] as const;

/** One collection: its fields, its data, its settings. */
export function DesignerPage() {
  const { collection: name } = useParams({ from: PATH });
  return (
    <CollectionGate name={name} waiting={<Skeleton height={320} />}>
      {(collection) => <Designer key={name} collection={collection} />}
    </CollectionGate>
  );
}

function Designer({ collection }: { collection: CollectionMeta }) {
  const { t } = useTranslation(['data', 'fields', 'ui']);
  const { tab: wanted, source } = useParams({ from: PATH });
  const router = useRouter();
  const navigate = useNavigate();
  const [deleting, setDeleting] = useState(false);
  const configure = mayConfigure(useAccount()) && collection.system !== true;
  const tab = TABS.find((known) => known === wanted) ?? 'fields';
  const toList = () =>
    void router.navigate({ to: '/admin/settings/data/$source/collections', params: { source }, ignoreBlocker: true });
  return (
    <>
      <Breadcrumbs mb="xs">
        <Anchor component={Link} to="/admin/settings/data/main/collections" size="sm">
          {t('collections.title')}
        </Anchor>
        <span aria-current="page">{collectionTitle(collection)}</span>
      </Breadcrumbs>
      <PageHeader
        title={collectionTitle(collection)}
        description={collection.description || collection.name}
        actions={
          <>
            {configure && (
              <Button variant="subtle" color="red" c="var(--mantine-color-error)" leftSection={<IconTrash size={16} />} onClick={() => setDeleting(true)}>
                {t('delete')}
              </Button>
            )}
            <Button variant="default" leftSection={<IconTable size={16} />} component={Link} to={`/admin/r/${collection.name}`}>
              {t('collections.viewData')}
            </Button>
          </>
        }
      />
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) => {
          if (next) void navigate({ to: PATH, params: { source, collection: collection.name, tab: next }, search: {} });
        }}
      >
        <Tabs.List mb="md">
          {TABS.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {t(`tab.${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="fields">
          <FieldsTab collection={collection} configure={configure} />
        </Tabs.Panel>
        <Tabs.Panel value="data">
          <RecordsView collection={collection} />
        </Tabs.Panel>
        <Tabs.Panel value="settings">
          <CollectionSettings collection={collection} configure={configure} />
        </Tabs.Panel>
      </Tabs>
      <DeleteCollection collection={deleting ? collection : null} onClose={() => setDeleting(false)} onDeleted={toList} />
    </>
  );
}
