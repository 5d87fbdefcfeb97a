import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';
import Picker from '../src/kit/Picker.svelte';
import Switch from '../src/kit/Switch.svelte';
import AddressField from '../src/features/composer/AddressField.svelte';

it('picks with the keyboard alone', async () => {
  const onpick = vi.fn();
  const choices = ['Ines', 'Tomasz', 'Aiko'].map((label) => ({ value: label.toLowerCase(), label }));
  render(Picker, { label: 'Assign to', choices, selected: ['ines'], onpick });
  const user = userEvent.setup();
  const box = screen.getByRole('combobox', { name: 'Assign to' });
  expect(box).toHaveAttribute('aria-controls', screen.getByRole('listbox').id);
  await user.type(box, 'a{ArrowDown}{Enter}');
  expect(onpick).toHaveBeenCalledWith('aiko');
});

it('offers to make what is not there', async () => {
  const oncreate = vi.fn();
  render(Picker, {
    label: 'Tags',
    choices: [{ value: 'tents', label: 'tents' }],
    selected: [],
    onpick: vi.fn(),
    oncreate,
  });
  await userEvent.setup().type(screen.getByRole('combobox'), 'warranty{Enter}');
  expect(oncreate).toHaveBeenCalledWith('warranty');
});

it('says whether it is on', async () => {
  const onchange = vi.fn();
  render(Switch, { label: 'Sunday', checked: false, onchange });
  const button = screen.getByRole('switch', { name: 'Sunday' });
  await userEvent.setup().click(button);
  expect(button).toHaveAttribute('aria-checked', 'true');
  expect(onchange).toHaveBeenCalledWith(true);
});

it('takes recipients one by one, on leaving, and off again', async () => {
  const onchange = vi.fn();
  render(AddressField, {
    label: 'Cc',
    addresses: ['boss@example.net'],
    known: { 'boss@example.net': 'The Boss' },
    onchange,
  });
  const user = userEvent.setup();
  expect(screen.getByText('The Boss')).toBeInTheDocument();
  await user.type(screen.getByLabelText('Cc'), 'kari@example.net,half');
  await user.tab();
  expect(screen.getByText('kari@example.net')).toBeInTheDocument();
  expect(screen.getByText('half').closest('.one')).toHaveClass('bad');
  await user.click(screen.getByRole('button', { name: 'Remove boss@example.net' }));
  expect(screen.queryByText('The Boss')).toBeNull();
});
