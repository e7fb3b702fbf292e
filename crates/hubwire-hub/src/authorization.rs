//! Who may connect to a hub, and who may call which method.

use std::fmt;

use futures_util::future::LocalBoxFuture;
use hubwire_transport::Identity;

use crate::definition::HubDefinition;
use crate::filter::HubInvocation;

/// What a user must be, as `#[hub(authorize(…))]` writes it: SignalR's `[Authorize]`.
///
/// All of it must hold, of several on one method each, and those of the whole hub too.
pub struct Authorization<H: HubDefinition> {
    /// The user has at least one of these roles; any user is meant where there are none.
    pub roles: &'static [&'static str],
    /// The user has each of these claims, with this value where there is one.
    pub claims: &'static [(&'static str, Option<&'static str>)],
    /// Each of these says yes.
    pub policies: &'static [Policy<H>],
}

/// Decides about a call by whatever it likes, the arguments too.
pub type Policy<H> = for<'a> fn(&'a H, &'a HubInvocation<H>) -> LocalBoxFuture<'a, bool>;

impl<H: HubDefinition> Authorization<H> {
    /// Whether `identity` is a user with the role and the claims; policies are not asked.
    pub(crate) fn admits(&self, identity: &Identity) -> bool {
        identity.user_id().is_some()
            && (self.roles.is_empty() || self.roles.iter().any(|role| identity.is_in_role(role)))
            && self.claims.iter().all(|(name, value)| identity.has_claim(name, *value))
    }
}

/// Whether all of `authorizations` admit `identity`.
pub(crate) fn admit<H: HubDefinition>(
    authorizations: &[Authorization<H>],
    identity: &Identity,
) -> bool {
    authorizations.iter().all(|authorization| authorization.admits(identity))
}

/// Whether every policy of `authorizations` says yes.
pub(crate) async fn agree<H: HubDefinition>(
    authorizations: impl IntoIterator<Item = &Authorization<H>>,
    call: &HubInvocation<H>,
) -> bool {
    let policies = authorizations.into_iter().flat_map(|authorization| authorization.policies);
    for policy in policies {
        if !policy(call.context().hub().definition(), call).await {
            return false;
        }
    }
    true
}

impl<H: HubDefinition> fmt::Debug for Authorization<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("roles", &self.roles)
            .field("claims", &self.claims)
            .field("policies", &self.policies.len())
            .finish()
    }
}
