import { HubConnection } from './hub-connection';
import { JsonHubProtocol } from './json-protocol';
import { assign, each } from './platform';

/** Collects the settings of a connection: the options of `withUrl`, and what the methods were given, each under its name. */
export function HubConnectionBuilder(this: any) {
  const self = this;
  const settings: any = { withHubProtocol: new (JsonHubProtocol as any)(), withCredentials: true };

  each('withHubProtocol withAutomaticReconnect withStatefulReconnect withServerTimeout withKeepAliveInterval', function (name) {
    self[name] = function (value: any) {
      // Without a value it is asked for as it is by default.
      settings[name] = value === undefined ? {} : value;
      return self;
    };
  });

  assign(self, {
    // What `withUrl` knows as an option.
    configureLogging: function (logging: any) {
      settings.logger = logging;
      return self;
    },

    withUrl: function (url: string, transportOrOptions?: any) {
      settings._url = url;
      assign(settings, transportOrOptions > 0 ? { transport: transportOrOptions } : transportOrOptions);
      return self;
    },

    build: function () {
      return new (HubConnection as any)(assign({}, settings));
    },
  });
}
