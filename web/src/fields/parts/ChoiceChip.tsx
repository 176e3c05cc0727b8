import type { Choice } from '../types';
import classes from './ChoiceChip.module.css';
import { choiceColor } from './choiceColors';

/** A choice as a pill: the colour is a dot beside the word, so the word stays readable in both schemes. */
export function ChoiceChip({ choice }: { choice: Choice }) {
  return (
    <span className={classes.chip}>
      {choice.color && <span className={classes.dot} style={{ background: choiceColor(choice.color) }} aria-hidden="true" />}
      <span className={classes.label}>{choice.label}</span>
    </span>
  );
}
