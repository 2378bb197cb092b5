import type { Question, QuestionType, ServerEvent } from '@ehlo/engine';

/** All of them: the compiler asks for each. */
const QUESTIONS: { readonly [type in QuestionType]: true } = {
  connect: true,
  hello: true,
  starttls: true,
  auth: true,
  mail: true,
  rcpt: true,
  data: true,
  message: true,
  info: true,
  xclient: true,
  command: true,
};

/** Whether an event wants an answer. */
export function isQuestion(event: ServerEvent): event is Question {
  return Object.hasOwn(QUESTIONS, event.type);
}
