export * from './stubs.ts';
