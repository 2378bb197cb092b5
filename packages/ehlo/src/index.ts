export * from '@ehlo/node';
