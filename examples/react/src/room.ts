// A room as one member sees it: joined anew whenever the connection is another one, and kept up by what the server calls.

import { useEffect, useReducer } from 'react';

import type { ChatHub, ChatPage, Entered, Member, Message } from './chat';
import { type HubState, useHub, useHubEvent } from './hub';

export interface Room {
  state: HubState;
  members: Member[];
  messages: Message[];
  /** Why the room could not be joined. */
  refusal?: string;
  say(text: string): Promise<void>;
}

type Happening =
  | { type: 'said'; message: Message }
  | { type: 'joined'; member: Member }
  | { type: 'left'; member: Member };

type Action = Happening | { type: 'joining' } | { type: 'entered'; entered: Entered } | { type: 'refused'; why: string };

interface Seen {
  members: Member[];
  messages: Message[];
  refusal?: string;
  /** What happens between a Join and its answer waits until that is shown. */
  waiting?: Happening[];
}

function reduce(seen: Seen, action: Action): Seen {
  switch (action.type) {
    case 'joining':
      return { ...seen, refusal: undefined, waiting: [] };
    case 'refused':
      return { ...seen, refusal: action.why, waiting: undefined };
    case 'entered': {
      const { members, history } = action.entered;
      return (seen.waiting ?? []).reduce<Seen>(happen, { members, messages: history });
    }
    default:
      return seen.waiting ? { ...seen, waiting: [...seen.waiting, action] } : happen(seen, action);
  }
}

/** Changes nothing where it is known already: the answer to a Join may tell of it too. */
function happen(seen: Seen, happening: Happening): Seen {
  switch (happening.type) {
    case 'said':
      return seen.messages.some(({ id }) => id === happening.message.id) ? seen : { ...seen, messages: [...seen.messages, happening.message] };
    case 'joined':
      return seen.members.some(({ id }) => id === happening.member.id) ? seen : { ...seen, members: [...seen.members, happening.member] };
    case 'left':
      return { ...seen, members: seen.members.filter(({ id }) => id !== happening.member.id) };
  }
}

export function useRoom(room: string, name: string): Room {
  const hub = useHub<ChatHub, ChatPage>('/chat');
  const [seen, dispatch] = useReducer(reduce, { members: [], messages: [] });
  const { state, invoke } = hub;
  const connectionId = state.status === 'connected' ? state.connectionId : undefined;

  useHubEvent(hub, 'MessageReceived', (where, message) => where === room && dispatch({ type: 'said', message }));
  useHubEvent(hub, 'MemberJoined', (where, member) => where === room && dispatch({ type: 'joined', member }));
  useHubEvent(hub, 'MemberLeft', (where, member) => where === room && dispatch({ type: 'left', member }));

  useEffect(() => {
    if (connectionId === undefined) return;
    let isCurrent = true;
    dispatch({ type: 'joining' });
    invoke('Join', room, name).then(
      (entered) => isCurrent && dispatch({ type: 'entered', entered }),
      (error) => isCurrent && dispatch({ type: 'refused', why: error.message }),
    );
    return () => {
      isCurrent = false;
    };
  }, [connectionId, invoke, room, name]);

  return { state, members: seen.members, messages: seen.messages, refusal: seen.refusal, say: (text) => invoke('Say', text) };
}
