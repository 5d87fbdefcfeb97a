import { ApiError, sentence } from '$core/errors';
import { firstName } from '$core/format';
import { t } from '$core/i18n.svelte';
import { read, write } from '$core/storage';
import { viewport } from '$core/theme.svelte';
import { toasts } from '$core/toast.svelte';
import type { Conversation } from '../conversation/conversation.svelte';
import { inbox } from '../inbox/inbox.svelte';
import { session } from '../session/session.svelte';
import { emailOf, isEmail } from '../ticket/address';
import { records } from '../ticket/records.svelte';
import { ticketApi } from '../ticket/ticket.api';
import type { Message, Recipients } from '../ticket/ticket.types';
import { isEmpty, looksLikeReply, mentionsAttachment } from './checks';
import { composerApi, type Draft, type Kind, type Outgoing } from './composer.api';
import { DraftKeeper } from './draft.svelte';
import { sendQueue } from './queue.svelte';
import { undoSend } from './undo';
import { Uploads } from './uploads.svelte';

export type After = 'send' | 'pending' | 'solved';
export type Warning = 'attachment' | 'greeting' | null;

/** What is being written to one ticket, from the first letter to "sent". */
export class Composer {
  kind = $state<Kind>('reply');
  html = $state('');
  to = $state<string[]>([]);
  cc = $state<string[]>([]);
  bcc = $state<string[]>([]);
  uploads = new Uploads();
  keeper: DraftKeeper;
  /** Bumped when html was set from outside, so that the editor takes it over. */
  version = $state(0);
  /** Bumped when the editor should take the focus. */
  focus = $state(0);
  /** Bumped when a message has gone: the keys belong to the conversation again. */
  gone = $state(0);
  open = $state(false);
  ready = $state(false);
  sending = $state(false);
  problem = $state<string | null>(null);
  warning = $state<Warning>(null);
  /** The newer message that arrived while this was written. */
  stale = $state.raw<Message | null>(null);
  after = $state<After>((read('after') as After | null) ?? 'send');
  #seen: string | undefined;
  #key = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  #touched = false;

  constructor(readonly conversation: Conversation) {
    this.keeper = new DraftKeeper(conversation.number);
    this.#seen = conversation.lastSeen;
  }

  get canSend(): boolean {
    return this.ready && !this.sending && !isEmpty(this.html) && !this.uploads.busy && !this.uploads.failed;
  }

  /** Takes up the draft, or starts with the recipients an answer goes to. */
  async start() {
    if (!this.conversation.may.reply) this.kind = 'note';
    const draft = await this.keeper.load();
    // On a phone the draft waits in its line below the conversation, which one came to read.
    if (draft && !this.#touched) this.restore(draft, !viewport.phone);
    else if (!draft) this.#defaults(this.conversation.detail?.reply);
    this.ready = true;
  }

  restore(draft: Draft, open = true) {
    this.kind = draft.kind;
    this.html = draft.body;
    this.to = (draft.to ?? []).map(emailOf);
    this.cc = (draft.cc ?? []).map(emailOf);
    this.bcc = (draft.bcc ?? []).map(emailOf);
    if (draft.kind === 'note' && this.to.length === 0) this.#defaults(this.conversation.detail?.reply);
    this.uploads.restore(draft.attachments ?? []);
    if (draft.seen_message_id) this.#seen = draft.seen_message_id;
    this.open = open;
    this.version++;
  }

  /** Opens the editor for a reply or a note. */
  write(kind: Kind) {
    this.setKind(kind);
    this.open = true;
    this.focus++;
  }

  async replyAll() {
    this.write('reply');
    const message = this.conversation.lastFromCustomer;
    if (!message) return;
    try {
      this.#defaults(await ticketApi.recipients(this.conversation.number, message.id, true));
      this.changed();
    } catch (err) {
      toasts.error(err);
    }
  }

  setKind(kind: Kind) {
    if (kind === this.kind) return;
    this.kind = kind;
    this.warning = null;
    this.changed();
  }

  typed(html: string) {
    if (html === this.html) return;
    this.html = html;
    this.warning = null;
    this.changed();
  }

  /** Something of the draft changed: keep it. */
  changed() {
    this.#touched = true;
    this.problem = null;
    if (this.warning === 'attachment' && this.uploads.items.length > 0) this.warning = null;
    if (isEmpty(this.html) && this.uploads.items.length === 0 && this.keeper.saved === 'empty') return;
    this.keeper.change(this.#draft());
  }

  choose(after: After) {
    this.after = after;
    write('after', after === 'send' ? null : after);
  }

  async send(after: After = this.after, force = false) {
    if (!this.canSend) return;
    if (!force && !this.#sound()) return;
    this.sending = true;
    this.problem = this.warning = null;
    const message = this.#outgoing(after);
    try {
      const sent = await composerApi.send(this.conversation.number, this.kind, message, this.#key);
      await this.#sent(sent, after);
    } catch (err) {
      await this.#refused(err, message);
    }
    this.sending = false;
  }

  /** The newer message has been read: send as it is. */
  async sendAnyway() {
    this.editFirst();
    await this.send(this.after, true);
  }

  /** Puts the newer message into the thread and goes back to writing. */
  editFirst() {
    if (this.stale) this.#seen = this.stale.id;
    this.stale = null;
    this.conversation.reloadSoon();
    this.focus++;
  }

  async discard() {
    const old = { ...this.#draft(), updated: '' };
    this.#clear();
    await this.keeper.drop();
    toasts.undoable(t('composer.discarded'), () => {
      this.restore(old);
      this.changed();
    });
  }

  /** Warns once about what is easily forgotten; the agent has the last word. */
  #sound(): boolean {
    this.warning = null;
    const bad = [...this.to, ...this.cc, ...this.bcc].find((address) => !isEmail(address));
    if (this.kind === 'reply' && (this.to.length === 0 || bad)) {
      this.problem = bad ? t('composer.badAddress', { address: bad }) : t('composer.noRecipient');
      return false;
    }
    const customer = this.conversation.ticket?.customer?.name ?? '';
    if (this.kind === 'reply' && this.uploads.items.length === 0 && mentionsAttachment(this.html))
      this.warning = 'attachment';
    else if (this.kind === 'note' && looksLikeReply(this.html, customer)) this.warning = 'greeting';
    return this.warning === null;
  }

  #outgoing(after: After): Outgoing {
    const attachments = this.uploads.items.filter((item) => item.file && !item.inline).map((item) => item.file!.id);
    if (this.kind === 'note') return { body: this.html, attachments };
    const { to, cc, bcc } = this;
    return {
      body: this.html,
      to: [...to],
      cc: [...cc],
      bcc: [...bcc],
      attachments,
      status: after === 'send' ? undefined : after,
      seen_message_id: this.#seen ?? this.conversation.lastSeen,
    };
  }

  async #sent(sent: Message, after: After) {
    const { number } = this.conversation;
    const reply = this.kind === 'reply';
    this.#clear();
    await this.keeper.drop(false);
    this.conversation.add(sent);
    this.gone++;
    this.#seen = sent.id;
    records.patch(number, { draft: null });
    if (!reply) return toasts.info(t('composer.noteAdded'));
    if (after !== 'send') {
      if (after === 'solved') inbox.advance(number);
      records.patch(number, { status: after });
      inbox.list.drop(number);
    }
    if (sent.delivery?.state === 'held') this.#offerUndo(sent);
    else toasts.info(t('composer.sent'));
  }

  #offerUndo(sent: Message) {
    const seconds = session.me?.desk.undo_s ?? 10;
    const name = firstName(this.conversation.ticket?.customer?.name || this.conversation.ticket?.customer?.email || '');
    const { conversation } = this;
    toasts.undoable(
      t('composer.sending', { name }),
      () => void undoSend(sent.delivery!.id, conversation, sent.id).catch((err) => toasts.error(err)),
      seconds * 1000,
    );
  }

  async #refused(err: unknown, message: Outgoing) {
    if (err instanceof ApiError && err.offline) {
      await sendQueue.add(this.#key, { number: this.conversation.number, kind: this.kind, message });
      this.#clear();
      await this.keeper.drop(false);
      toasts.info(t('queue.kept'));
    } else if (err instanceof ApiError && err.status === 409 && err.data.message) {
      this.stale = err.data.message as Message;
      this.#newKey();
    } else {
      this.problem = sentence(err);
      this.#newKey();
    }
  }

  #clear() {
    this.html = '';
    this.uploads.clear();
    this.bcc = [];
    this.#defaults(this.conversation.detail?.reply);
    this.kind = this.conversation.may.reply ? 'reply' : 'note';
    this.warning = null;
    this.open = false;
    this.version++;
    this.#newKey();
  }

  #newKey() {
    this.#key = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  }

  #defaults(reply: Recipients | undefined) {
    const customer = this.conversation.ticket?.customer?.email;
    this.to = reply?.to?.map(emailOf) ?? (customer ? [customer] : []);
    this.cc = reply?.cc?.map(emailOf) ?? [];
  }

  #draft() {
    return {
      kind: this.kind,
      body: this.html,
      to: [...this.to],
      cc: [...this.cc],
      bcc: [...this.bcc],
      attachments: $state.snapshot(this.uploads.files),
      seen_message_id: this.#seen ?? this.conversation.lastSeen ?? null,
    };
  }
}
