import { get, post } from '$core/api';
import type { Address } from '../ticket/ticket.types';

export interface SandboxMail {
  id: string;
  from: Address;
  to: Address[];
  subject: string;
  text: string;
  html: string;
  received: string;
}
export interface SandboxState {
  address: string;
  customers: { name: string; email: string }[];
  mails: SandboxMail[];
}
export interface NewMail {
  from: { name: string; email: string };
  subject: string;
  text: string;
  in_reply_to?: string;
  attachments?: { name: string; content_type: string; base64: string }[];
}

export const sandboxApi = {
  state: () => get<SandboxState>('/api/desk/sandbox'),
  write: (mail: NewMail) => post<{ message_id: string }>('/api/desk/sandbox/mails', mail),
};

/** A file as the pretend mail carries it. */
export async function encode(file: File) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const STEP = 0x8000;
  let binary = '';
  for (let i = 0; i < bytes.length; i += STEP) binary += String.fromCharCode(...bytes.subarray(i, i + STEP));
  return { name: file.name, content_type: file.type || 'application/octet-stream', base64: btoa(binary) };
}
