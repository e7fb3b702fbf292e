import { HubConnection } from './hub-connection';
import { JsonHubProtocol } from './json-protocol';
import { loggerOf } from './logging';
import { absolute, assign } from './platform';
import { policyOf } from './retry';

/** Collects the settings of a connection, each under the name of the method that it was given to. */
export function HubConnectionBuilder(this: any) {
  const self = this;
  // A request may take longer than servers hold polls. Both defaults are SignalR's.
  const options: any = { timeout: 100000, withCredentials: true };
  const settings: any = { withHubProtocol: new (JsonHubProtocol as any)(), _options: options };

  [
    'configureLogging', 'withHubProtocol', 'withAutomaticReconnect', 'withStatefulReconnect', 'withServerTimeout', 'withKeepAliveInterval',
  ].forEach(function (name) {
    self[name] = function (value: any) {
      // Without a value it is asked for as it is by default.
      settings[name] = value === undefined ? {} : value;
      return self;
    };
  });

  self.withUrl = function (url: string, transportOrOptions?: any) {
    settings._url = url;
    assign(options, typeof transportOrOptions === 'object' ? transportOrOptions : { transport: transportOrOptions });
    return self;
  };

  self.build = function () {
    return new (HubConnection as any)(assign(assign({}, settings), {
      _url: absolute(settings._url),
      _logger: loggerOf(options.logger === undefined ? settings.configureLogging : options.logger),
      _policy: policyOf(settings.withAutomaticReconnect),
    }));
  };
}
