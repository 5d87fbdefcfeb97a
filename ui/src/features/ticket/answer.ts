import { known, t } from '$core/i18n.svelte';

/** What a mail server's answer such as "550 5.1.1 no such user" means, in words; undefined when its code says too little. */
export function meaning(answer: string | undefined): string | undefined {
  const code = /^[245]\d\d[ -]\d\.(\d{1,3}\.\d{1,3})\b/.exec(answer ?? '')?.[1];
  const key = code && known('smtp', code);
  return key ? t(key) : undefined;
}
