import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import { parseTime } from '../src/core/clocktime';
import { nextSpan } from '../src/features/schema/schema.types';
import TimeInput from '../src/features/schema/TimeInput.svelte';

it.each([
  ['9', '09:00'],
  ['09:30', '09:30'],
  ['930', '09:30'],
  ['17.30', '17:30'],
  ['17h15', '17:15'],
  ['5 pm', '17:00'],
  ['12:15 a.m.', '00:15'],
  ['12pm', '12:00'],
  ['24:00', '24:00'],
  ['24:01', null],
  ['25', null],
  ['9:75', null],
  ['13 pm', null],
  ['noon', null],
  ['', null],
])('reads %s as %s', (typed, time) => expect(parseTime(typed)).toBe(time));

it('shows 24 hours in every country and keeps the old time for what is none', async () => {
  const onchange = vi.fn();
  render(TimeInput, { value: '17:00', label: 'Monday, until', onchange });
  const user = userEvent.setup();
  const until = screen.getByLabelText('Monday, until');
  expect(until).toHaveValue('17:00');
  await user.clear(until);
  await user.type(until, 'late{Tab}');
  expect(until).toHaveValue('17:00');
  expect(onchange).not.toHaveBeenCalled();
  await user.clear(until);
  await user.type(until, '6pm{Tab}');
  expect(onchange).toHaveBeenCalledWith('18:00');
});

it('adds a span after a break, as long as the day has room', () => {
  expect(nextSpan([['08:00', '12:00']])).toEqual(['13:00', '17:00']);
  expect(nextSpan([['09:00', '21:30']])).toEqual(['22:30', '24:00']);
  expect(nextSpan([['09:00', '23:30']])).toBeUndefined();
  expect(nextSpan([])).toBeUndefined();
});
