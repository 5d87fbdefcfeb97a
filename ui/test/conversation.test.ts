import { render, screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { describe as tell } from '../src/features/conversation/activity';
import { folded, isOurs, shape } from '../src/features/conversation/body';
import RichText from '../src/features/conversation/RichText.svelte';
import { stream } from '../src/features/conversation/stream';
import type { Message, TicketEvent } from '../src/features/ticket/ticket.types';

const message = (id: string, day: number, change: Partial<Message> = {}) =>
  ({
    id,
    kind: 'customer',
    author: { kind: 'customer', id: 'c1', name: 'Maren' },
    text: '',
    html: '',
    visible_text: '',
    attachments: [],
    created: `2026-11-${day}T09:00:00.000Z`,
    ...change,
  }) as Message;
const event = (seq: number, at: string, change: Partial<TicketEvent> = {}): TicketEvent => ({
  seq,
  at,
  kind: 'ticket.prioritized',
  actor: { kind: 'agent', id: 'a1', name: 'Ines' },
  old: 'normal',
  new: 'high',
  reason: null,
  ...change,
});

describe('stream', () => {
  const five = [20, 21, 22, 23, 24].map((day, i) => message(`m${i}`, day));

  it('leaves the last two open and puts the rest behind one line', () => {
    const items = stream(five, [], false, new Set());
    expect(items.map((item) => item.type)).toEqual(['earlier', 'day', 'message', 'day', 'message']);
  });

  it('shows one line each once unfolded', () => {
    const items = stream(five, [], true, new Set(['m1'])).filter((item) => item.type === 'message');
    expect(items.map((item) => item.open)).toEqual([false, true, false, true, true]);
  });

  it('places changes between the messages they happened between', () => {
    const items = stream(
      [message('a', 20), message('b', 22)],
      [event(1, '2026-11-21T00:00:00.000Z'), event(2, '2026-11-23T00:00:00.000Z')],
      false,
      new Set(),
    );
    expect(items.map((item) => item.type)).toEqual(['day', 'message', 'changes', 'day', 'message', 'changes']);
  });
});

describe('activity', () => {
  it('names who did what', () => {
    expect(tell(event(1, ''))).toMatchObject({
      key: 'event.ticket.prioritized',
      values: { who: 'Ines', new: 'High' },
    });
  });
  it('is silent about what the messages show themselves', () => {
    expect(tell(event(1, '', { kind: 'message.received' }))).toBeNull();
  });
  it('tells taking the assignee off from giving one', () => {
    expect(tell(event(1, '', { kind: 'ticket.assigned', new: null }))?.key).toBe('event.ticket.unassigned');
  });
});

describe('bodies', () => {
  it('draws mail from outside in the frame, whatever it contains', () => {
    expect(shape(message('m', 20, { html: '<p>plain</p>' }))).toBe('mail');
    expect(shape(message('m', 20, { text: 'hello' }))).toBe('text');
  });
  it('draws our own text only when it is what our editor makes', () => {
    const own = (html: string) =>
      message('m', 20, { html, kind: 'reply', author: { kind: 'agent', id: 'a1', name: 'Ines' } });
    expect(shape(own('<p>Hi <strong>Maren</strong></p>'))).toBe('rich');
    expect(shape(own('<table><tr><td>x</td></tr></table>'))).toBe('mail');
    expect(isOurs('<p style="position:fixed">x</p>')).toBe(false);
  });
  it('folds what stands below the visible text and loses none of it', () => {
    expect(folded(message('m', 20, { text: 'Yes.\n\n> Really?\n> Sure?', visible_text: 'Yes.' }))).toBe(
      '> Really?\n> Sure?',
    );
    expect(folded(message('m', 20, { text: 'Yes.', visible_text: 'Yes.' }))).toBe('');
  });
});

it('never lets HTML of a note become live', () => {
  const html =
    '<p onclick="x()">Hi <a href="javascript:alert(1)">link</a><img src="https://tracker.example/p.gif" onerror="x()"></p><script>x()</script>';
  const { container } = render(RichText, { html });
  expect(screen.getByText('link')).not.toHaveAttribute('href');
  expect(container.querySelector('img, script, [onclick]')).toBeNull();
});
