export * from '@ehlo/grammar/proxy';
