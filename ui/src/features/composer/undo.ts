import { t } from '$core/i18n.svelte';
import { toasts } from '$core/toast.svelte';
import type { Conversation } from '../conversation/conversation.svelte';
import { inbox } from '../inbox/inbox.svelte';
import type { Composer } from './composer.svelte';
import { composerApi } from './composer.api';

/** The composer on screen, so that an undone reply comes back into it. */
const shown = new Map<number, Composer>();

export function register(composer: Composer): () => void {
  shown.set(composer.conversation.number, composer);
  return () => shown.delete(composer.conversation.number);
}

/** Takes a reply back before it left: it becomes the draft again. Fails when it is already gone. */
export async function undoSend(delivery: string, conversation: Conversation, message: string) {
  const draft = await composerApi.undo(delivery);
  conversation.remove(message);
  conversation.reloadSoon();
  const composer = shown.get(conversation.number);
  if (composer && draft) {
    composer.restore(draft);
    composer.focus++;
  } else if (!composer) inbox.show(conversation.number);
  inbox.list.refreshSoon();
  toasts.info(t('delivery.undone'));
}
