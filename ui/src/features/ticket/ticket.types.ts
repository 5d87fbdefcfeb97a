export const STATUSES = ['new', 'open', 'pending', 'on_hold', 'solved', 'closed'] as const;
export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const;
export const TYPES = ['question', 'incident', 'request', 'complaint', 'praise'] as const;
export type Status = (typeof STATUSES)[number];
export type Priority = (typeof PRIORITIES)[number];
export type TicketType = (typeof TYPES)[number];

export interface Ref {
  id: string;
  name: string;
}
export interface CustomerRef extends Ref {
  email: string;
}

export interface Ticket {
  number: number;
  id: string;
  subject: string;
  status: Status;
  priority: Priority;
  type: TicketType | null;
  channel: string;
  team: Ref | null;
  assignee: Ref | null;
  tags: string[];
  customer: CustomerRef;
  created: string;
  updated: string;
  solved: string | null;
  looks_like?: (number | { number: number; subject?: string })[];
}

/** A ticket as the list shows it. */
export interface TicketRow extends Ticket {
  preview: string;
  last_from: 'customer' | 'agent' | 'system';
  last_at: string;
  unread: boolean;
  draft: string | null;
  attachments: boolean;
  waiting_since: string | null;
}

export interface Attachment {
  id: string;
  name: string;
  content_type: string;
  size: number;
  inline?: boolean;
  content_id?: string;
  url?: string;
}

export type DeliveryState =
  'held' | 'scheduled' | 'queued' | 'sending' | 'sent' | 'deferred' | 'failed' | 'uncertain' | 'cancelled';

export interface Recipient {
  address: string;
  state: DeliveryState;
  server_answer: string;
  attempts?: number;
}
export interface Delivery {
  id: string;
  state: DeliveryState;
  attempts: number;
  next_try: string | null;
  server_answer: string;
  recipients: Recipient[];
  held_by?: string | null;
  put_away?: string | null;
}

export type MessageKind = 'customer' | 'reply' | 'forward' | 'note' | 'auto' | 'bot' | 'system';
export type Address = string | { name?: string; address?: string; email?: string };
export type Bounce = string | { text?: string; reason?: string; address?: string; at?: string };

export interface Message {
  id: string;
  ticket?: number | string;
  kind: MessageKind;
  author: { kind: string; id: string; name: string };
  from: Address;
  to: Address[];
  cc: Address[];
  subject: string;
  text: string;
  html: string;
  visible_text: string;
  attachments: Attachment[];
  authentication: 'pass' | 'none' | 'fail';
  reason: { code: string; text: string } | null;
  delivery: Delivery | null;
  created: string;
  quoted?: boolean;
  remote_images?: boolean;
  bounced?: Bounce | null;
}

export interface TicketEvent {
  seq: number;
  at: string;
  kind: string;
  actor: { kind: string; id: string; name: string } | null;
  old: unknown;
  new: unknown;
  reason: { code: string; text: string } | null;
  text?: string | null;
}

export interface EarlierTicket {
  number: number;
  subject: string;
  status: Status;
  created: string;
}

export interface Recipients {
  to: Address[];
  cc: Address[];
  from: Address;
}

export interface TicketDetail extends TicketRow {
  messages: { items: Message[]; next_cursor: string | null };
  permissions: { reply: boolean; note: boolean; change: boolean; assign: boolean };
  customer: CustomerRef & { created: string; tickets: EarlierTicket[] };
  reply?: Recipients;
  event: number;
}

export interface WhyReason {
  at: string;
  code: string;
  text: string;
  detail: unknown;
  message: string | null;
  actor: { name?: string } | string | null;
}

/** What PATCH takes; ids, not names, except for tags. */
export interface TicketChange {
  status?: Status;
  priority?: Priority;
  type?: TicketType;
  team?: string;
  assignee?: string | null;
  tags?: string[];
  subject?: string;
}

export const isOpen = (status: Status) => status === 'new' || status === 'open';
export const isWaiting = (status: Status) => status === 'pending' || status === 'on_hold';
export const isSolved = (status: Status) => status === 'solved' || status === 'closed';
