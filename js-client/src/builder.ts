import { HubConnection } from './hub-connection';
import { JsonHubProtocol } from './json-protocol';
import { assign, each } from './platform';

/** Collects the settings of a connection: the options of `withUrl`, and what the methods were given, each under its name. */
export function HubConnectionBuilder(this: any) {
  const self = this;
  // A request may take longer than servers hold polls. Both numbers are SignalR's.
  const settings: any = { withHubProtocol: new (JsonHubProtocol as any)(), timeout: 100000, withCredentials: true };

  each('configureLogging withHubProtocol withAutomaticReconnect withStatefulReconnect withServerTimeout withKeepAliveInterval', function (name) {
    self[name] = function (value: any) {
      // Without a value it is asked for as it is by default.
      settings[name] = value === undefined ? {} : value;
      return self;
    };
  });

  self.withUrl = function (url: string, transportOrOptions?: any) {
    settings._url = url;
    assign(settings, transportOrOptions > 0 ? { transport: transportOrOptions } : transportOrOptions);
    return self;
  };

  self.build = function () {
    return new (HubConnection as any)(assign({}, settings));
  };
}
