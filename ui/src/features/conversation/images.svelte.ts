import { SvelteSet } from 'svelte/reactivity';
import { read, write } from '$core/storage';

const KEEP = 200;
const senders = new SvelteSet<string>(JSON.parse(read('images') ?? '[]') as string[]);

/** Whether this agent chose to see remote images from that sender. */
export const imagesAllowed = (sender: string) => senders.has(sender.toLowerCase());

export function rememberImages(sender: string) {
  senders.add(sender.toLowerCase());
  write('images', JSON.stringify([...senders].slice(-KEEP)));
}
