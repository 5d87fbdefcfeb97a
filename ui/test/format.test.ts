import { describe, expect, it } from 'vitest';
import { age, duration, fileSize, firstName, initials, plainText, tint } from '../src/core/format';

const NOW = Date.parse('2026-11-24T10:00:00Z');
const ago = (ms: number) => new Date(NOW - ms).toISOString();

describe('age', () => {
  it.each([
    [20_000, 'now'],
    [4 * 60_000, '4m'],
    [59 * 60_000 + 59_000, '59m'],
    [3 * 3_600_000, '3h'],
    [2 * 86_400_000, 'Sun'],
  ])('%i ms is %s', (ms, text) => expect(age(ago(ms), NOW)).toBe(text));

  it('shows the year of a date long ago', () => {
    expect(age('2024-03-12T12:00:00Z', NOW)).toContain('2024');
  });

  it('takes a clock that runs behind for now', () => {
    expect(age(ago(-5000), NOW)).toBe('now');
  });
});

it('writes sizes as people do', () => {
  expect(fileSize(0)).toBe('0 bytes');
  expect(fileSize(84_000)).toBe('84 kB');
  expect(fileSize(1_800_000)).toBe('1.8 MB');
  expect(fileSize(25_000_000)).toBe('25 MB');
});

it('writes durations', () => {
  expect(duration(420)).toBe('420 ms');
  expect(duration(8200)).toBe('8.2 s');
  expect(duration(180_000)).toBe('3m');
});

it('shortens names', () => {
  expect(initials('Maren Holt')).toBe('MH');
  expect(initials('Anne-Marie von der Heide')).toBe('AH');
  expect(initials('kari@example.net')).toBe('KA');
  expect(initials('')).toBe('?');
  expect(firstName('Maren Holt')).toBe('Maren');
  expect(tint('Maren Holt')).toBe(tint('Maren Holt'));
});

it('reads our HTML as one line', () => {
  expect(plainText('<p>Hi Maren,</p><p>two<br>lines</p>')).toBe('Hi Maren, two lines');
});
