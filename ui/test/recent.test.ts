import { beforeEach, expect, it } from 'vitest';
import { recent, remember } from '../src/features/inbox/recent';

beforeEach(() => localStorage.clear());

it('keeps the last searches, the newest first, each once', () => {
  for (const text of ['tent', 'pole', 'gift card', 'tent']) remember(text);
  expect(recent()).toEqual(['tent', 'gift card', 'pole']);
});

it('keeps neither letters nor what was typed on the way', () => {
  for (const text of ['te', 'ten', 'tent pole']) remember(text);
  expect(recent()).toEqual(['tent pole']);
  for (let i = 0; i < 20; i++) remember(`search ${i}!`);
  expect(recent()).toHaveLength(6);
});

it('starts anew when what is stored is none of ours', () => {
  localStorage.setItem('deskbell.searches', '{');
  expect(recent()).toEqual([]);
});
