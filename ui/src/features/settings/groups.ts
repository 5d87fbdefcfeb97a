import { known, t } from '$core/i18n.svelte';
import type { DeskField } from '../schema/schema.types';

export interface Group {
  id: string;
  title: string;
  fields: DeskField[];
}

/** The order in which one meets the settings; what comes later follows, in the server's order. */
const ORDER = ['desk', 'mail'];

/** Settings by the first word of their key: "mail.undo_s" stands with the mail. */
export function groups(fields: DeskField[]): Group[] {
  const ids = [...new Set([...ORDER, ...fields.map(groupOf)])];
  return ids
    .map((id) => ({ id, title: titleOf(id), fields: fields.filter((field) => groupOf(field) === id) }))
    .filter((group) => group.fields.length > 0)
    .map((group) => ({ ...group, fields: switchesLast(group.fields) }));
}

const groupOf = (field: DeskField) => field.key.split('.')[0]!;

function titleOf(id: string): string {
  const key = known('settingGroup', id);
  return key ? t(key) : t('settingGroup.other');
}

const switchesLast = (fields: DeskField[]) => [
  ...fields.filter((field) => field.kind !== 'bool'),
  ...fields.filter((field) => field.kind === 'bool'),
];
