import { call, del, get, post, put } from '$core/api';
import { fileInfo, type StoredFile } from '../file/file.api';
import type { Message, Status } from '../ticket/ticket.types';

export type Kind = 'reply' | 'note';

export interface Draft {
  kind: Kind;
  body: string;
  to: string[];
  cc: string[];
  bcc: string[];
  attachments: StoredFile[];
  seen_message_id: string | null;
  updated: string;
}

export interface Outgoing {
  body: string;
  to?: string[];
  cc?: string[];
  bcc?: string[];
  attachments?: string[];
  status?: Status;
  seen_message_id?: string;
}

/** A draft as it travels: its files may be ids. */
type WireDraft = Omit<Draft, 'attachments'> & { attachments: (StoredFile | string)[] | null };

async function whole(draft: WireDraft): Promise<Draft> {
  const files = draft.attachments ?? [];
  return {
    ...draft,
    attachments: await Promise.all(files.map((file) => (typeof file === 'string' ? fileInfo(file) : file))),
  };
}

const one = (n: number) => `/api/desk/tickets/${n}`;

export const composerApi = {
  draft: (n: number) => get<WireDraft | null>(`${one(n)}/draft`).then((draft) => (draft?.kind ? whole(draft) : null)),
  saveDraft: (n: number, draft: Omit<Draft, 'updated'>) =>
    put<Draft>(`${one(n)}/draft`, { ...draft, attachments: draft.attachments.map((file) => file.id) }),
  dropDraft: (n: number) => del(`${one(n)}/draft`),
  /** key makes a repeated request the same message: nothing is ever sent twice. */
  send: (n: number, kind: Kind, message: Outgoing, key: string) =>
    post<Message>(`${one(n)}/${kind === 'note' ? 'notes' : 'replies'}`, message, {
      headers: { 'Idempotency-Key': key },
    }),
  undo: async (delivery: string) => {
    const { draft } = await call<{ draft: WireDraft | null }>('DELETE', `/api/desk/outbox/${delivery}`);
    return draft?.kind ? whole(draft) : null;
  },
};
