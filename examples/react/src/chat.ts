// What the hub of `examples/chat` offers, and what it calls.

export interface Member {
  id: string;
  name: string;
}

export interface Message {
  id: number;
  from: Member;
  text: string;
  /** Milliseconds since 1970. */
  at: number;
}

export interface Entered {
  room: string;
  you: Member;
  members: Member[];
  history: Message[];
}

/** The methods of the hub. */
export interface ChatHub {
  Join(room: string, name: string): Entered;
  Say(text: string): void;
}

/** The methods of a page. */
export interface ChatPage {
  MessageReceived(room: string, message: Message): void;
  MemberJoined(room: string, member: Member): void;
  MemberLeft(room: string, member: Member): void;
}
