// The same mails through nodemailer's pooled transport: how many a second, and the processor time of each.
const nodemailer = require(process.argv[2] + '/node_modules/nodemailer');
const [port, count, sessions] = process.argv.slice(3, 6).map(Number);
const [html, text] = process.argv.slice(6, 8).map((file) => require('fs').readFileSync(file, 'utf8'));

const transport = nodemailer.createTransport({
  pool: true, host: '127.0.0.1', port, secure: false, ignoreTLS: true, maxConnections: sessions, maxMessages: Infinity,
});

async function main() {
  const send = (number) => transport.sendMail({
    from: 'Rapport <news@rapport.test>',
    to: `Reader ${number} <reader${number}@site${number % 200}.example.test>`,
    subject: `News for reader ${number}`,
    html: html.replaceAll('NAME', `Reader ${number}`),
    text: text.replaceAll('NAME', `Reader ${number}`),
  });
  for (let number = 0; number < 200; number++) await send(number);
  const before = process.cpuUsage();
  const begin = process.hrtime.bigint();
  let next = 0;
  // As many ahead as keeps the pool busy without holding all mails in memory.
  await Promise.all(Array.from({ length: 4 * sessions }, async () => { while (next < count) await send(next++); }));
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  const used = process.cpuUsage(before);
  console.log(`${count / seconds} ${(used.user + used.system) / count}`);
  transport.close();
}
main();
