import { type FormEvent, useEffect, useRef, useState } from 'react';

import type { Message } from './chat';
import { useRoom } from './room';

const ROOM = 'lobby';

export function App() {
  const [name, setName] = useState<string>();
  return name === undefined ? <Door onEnter={setName} /> : <RoomView name={name} onLeave={() => setName(undefined)} />;
}

/** Asks who is there. There is no connection yet, since nobody needs one. */
function Door({ onEnter }: { onEnter(name: string): void }) {
  const [name, setName] = useState('');
  const enter = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) onEnter(name.trim());
  };
  return (
    <form className="door" onSubmit={enter}>
      <h1>Hubwire chat</h1>
      <label>
        Your name
        <input id="name" value={name} onChange={(event) => setName(event.target.value)} maxLength={40} autoFocus autoComplete="off" />
      </label>
      <button>Join</button>
    </form>
  );
}

const STATUS = { connecting: 'Connecting…', connected: 'Connected', reconnecting: 'Connection lost. Reconnecting…', closed: 'Disconnected' };

function RoomView({ name, onLeave }: { name: string; onLeave(): void }) {
  const { state, members, messages, refusal, say } = useRoom(ROOM, name);
  return (
    <main className="room">
      <header>
        <h1>{ROOM}</h1>
        <span id="status" className={state.status} role="status">{STATUS[state.status]}</span>
        <button id="leave" onClick={onLeave}>Leave</button>
      </header>
      <ul id="members" aria-label="Who is here">
        {members.map((member) => <li key={member.id}>{member.name}</li>)}
      </ul>
      {refusal && <p role="alert">{refusal}</p>}
      <Log messages={messages} own={name} />
      <Composer onSay={say} isReady={state.status === 'connected'} />
    </main>
  );
}

function Log({ messages, own }: { messages: Message[]; own: string }) {
  const end = useRef<HTMLLIElement>(null);
  useEffect(() => {
    end.current?.scrollIntoView();
  }, [messages.length]);
  return (
    <ol id="log" aria-live="polite">
      {messages.map(({ id, from, text, at }) => (
        <li key={id} className={from.name === own ? 'message own' : 'message'}>
          <b>{from.name}</b> <time>{new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}</time>
          <p>{text}</p>
        </li>
      ))}
      <li ref={end} aria-hidden />
    </ol>
  );
}

function Composer({ onSay, isReady }: { onSay(text: string): Promise<void>; isReady: boolean }) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!text.trim()) return;
    try {
      await onSay(text);
      setText('');
      setProblem(undefined);
    } catch (error) {
      // What was written stays, to be sent again.
      setProblem((error as Error).message);
    }
  };
  return (
    <form className="composer" onSubmit={submit}>
      <input id="text" value={text} onChange={(event) => setText(event.target.value)} maxLength={2000} placeholder="Say something" aria-label="Message" autoFocus autoComplete="off" />
      <button disabled={!isReady}>Say</button>
      {problem && <p role="alert">{problem}</p>}
    </form>
  );
}
