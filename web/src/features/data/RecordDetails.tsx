import classes from './data.module.css';
import { interfaceOf } from '../../fields';
import { fieldTitle, recordFields, type CollectionMeta, type RecordRow } from './model';

/** All values of a record, read-only. */
export function RecordDetails({ collection, record }: { collection: CollectionMeta; record: RecordRow }) {
  return (
    <dl className={classes.details}>
      {recordFields(collection).map((field) => {
        const { View } = interfaceOf(field);
        return (
          <div key={field.name} className={classes.detail}>
            <dt>{fieldTitle(field)}</dt>
            <dd>
              <View field={field} value={record[field.name]} />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
