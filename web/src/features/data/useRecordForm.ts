/** State of a record's form: values, what is wrong with them, and saving. */
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, type Key } from '../../app/api';
import { ApiError } from '../../app/errors';
import { isEmptyValue, type FieldMeta } from '../../fields';
import { fieldProblem } from './fieldProblem';
import { formFields, type CollectionMeta, type RecordRow } from './model';
import { mapErrors } from './formErrors';

export interface RecordForm {
  fields: FieldMeta[];
  values: RecordRow;
  errors: Record<string, string>;
  /** An error that belongs to no field. */
  problem: Error | null;
  dirty: boolean;
  saving: boolean;
  /** Counts the saves that failed. */
  failures: number;
  set: (name: string, value: unknown) => void;
  /** Checks one field, when it is left. */
  check: (name: string) => void;
  /** The saved record, or null when something is wrong (shown in the form). */
  save: () => Promise<RecordRow | null>;
  /** Starts over with empty fields, for "save and add another". */
  reset: () => void;
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

function initialValues(fields: FieldMeta[], record: RecordRow | null): RecordRow {
  return Object.fromEntries(fields.map((field) => [field.name, record ? record[field.name] : (field.defaultValue ?? null)]));
}

/** What changed against `initial`; a new record leaves empty fields to the server's defaults. */
export function changedValues(fields: FieldMeta[], values: RecordRow, initial: RecordRow, isNew: boolean): RecordRow {
  const changed = fields.filter(({ name }) => (isNew ? !isEmptyValue(values[name]) : !same(values[name], initial[name])));
  return Object.fromEntries(changed.map(({ name }) => [name, isEmptyValue(values[name]) ? null : values[name]]));
}

/** Where a record is made: linked to another one, whose fields here need no input. */
export interface FormPlace {
  /** `orders/5/lines` */
  resource: string;
  without: string[];
}

export function useRecordForm(collection: CollectionMeta, record: RecordRow | null, key: Key | null, place?: FormPlace): RecordForm {
  const { t } = useTranslation('data');
  const fields = useMemo(
    () => formFields(collection, key === null).filter((field) => !place?.without.includes(field.name)),
    [collection, key, place],
  );
  const [initial, setInitial] = useState(() => initialValues(fields, record));
  const [values, setValues] = useState(initial);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<Error | null>(null);
  const [saving, setSaving] = useState(false);
  const [failures, setFailures] = useState(0);
  const dirty = fields.some(({ name }) => !same(values[name], initial[name]));

  const set = (name: string, value: unknown) => {
    setValues((old) => ({ ...old, [name]: value }));
    setErrors(({ [name]: _gone, ...rest }) => rest);
  };
  const check = (name: string) => {
    const field = fields.find((candidate) => candidate.name === name);
    const message = field && fieldProblem(field, values[name]);
    if (message) setErrors((old) => ({ ...old, [name]: message }));
  };
  const save = async (): Promise<RecordRow | null> => {
    const found = fields.flatMap((field) => {
      const message = fieldProblem(field, values[field.name]);
      return message ? [[field.name, message] as const] : [];
    });
    setErrors(Object.fromEntries(found));
    setProblem(null);
    if (found.length > 0) {
      setFailures((old) => old + 1);
      return null;
    }
    setSaving(true);
    try {
      const body = changedValues(fields, values, initial, key === null);
      const resource = api.resource<RecordRow>(place?.resource ?? collection.name);
      // An update answers with the list of changed records.
      const answer: unknown = key === null ? await resource.create(body) : await resource.update(key, body);
      const saved = (Array.isArray(answer) ? answer[0] : answer) as RecordRow | undefined;
      if (!saved) throw new ApiError(404, [{ message: t('gone') }]);
      setInitial(values);
      return saved;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const mapped = mapErrors(error, fields);
      setErrors(mapped.fields);
      setFailures((old) => old + 1);
      if (mapped.rest.length > 0) setProblem(new ApiError(error.status, mapped.rest, error));
      return null;
    } finally {
      setSaving(false);
    }
  };
  const reset = () => {
    const blank = initialValues(fields, null);
    setInitial(blank);
    setValues(blank);
    setErrors({});
    setProblem(null);
  };
  return { fields, values, errors, problem, dirty, saving, failures, set, check, save, reset };
}
