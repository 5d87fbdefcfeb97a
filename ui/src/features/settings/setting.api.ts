import { get, patch } from '$core/api';
import type { DeskField } from '../schema/schema.types';

export interface SettingsState {
  fields: DeskField[];
  values: Record<string, unknown>;
}

export const settingApi = {
  load: () => get<SettingsState>('/api/desk/settings'),
  save: (values: Record<string, unknown>) => patch<SettingsState | null>('/api/desk/settings', values),
};
