//! Who asks, and what they may do.

use super::refusal::Refusal;
use crate::config::{AccountGlob, AdminScope, AdminToken};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use std::future::{Ready, ready};
use std::sync::Arc;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    name: Arc<str>,
    scopes: Arc<[AdminScope]>,
    accounts: Arc<[AccountGlob]>,
}

impl Caller {
    /// The user who owns the control socket: everything.
    pub(super) fn owner() -> Self {
        Self::all("the owner of the control socket")
    }

    /// Whether it is the owner of the control socket, who sits at the machine.
    pub(super) fn is_owner(&self) -> bool {
        *self == Self::owner()
    }

    /// Who came over a link that the owner made.
    pub(super) fn console() -> Self {
        Self::all("console")
    }

    fn all(name: &str) -> Self {
        Self {
            name: name.into(),
            scopes: [AdminScope::Admin].into(),
            accounts: [AccountGlob::new("*")].into(),
        }
    }

    pub(super) fn of(token: &AdminToken) -> Self {
        Self {
            name: token.name.as_str().into(),
            scopes: token.scopes.as_slice().into(),
            accounts: token.accounts.as_slice().into(),
        }
    }

    /// The name of the token.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What it has, by name; of `admin` everything that this includes.
    pub(super) fn scopes(&self) -> Vec<&'static str> {
        let names = AdminScope::NAMES.iter();
        let names = names.filter(|(_, scope)| self.has(*scope));
        names.map(|(name, _)| *name).collect()
    }

    fn has(&self, scope: AdminScope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&AdminScope::Admin)
    }

    /// Whether there is anything that it may change.
    pub(super) fn may_change(&self) -> bool {
        self.has(AdminScope::Operate) || self.has(AdminScope::Send)
    }

    /// # Errors
    /// 403 when it has not the scope.
    pub(super) fn may(&self, scope: AdminScope) -> Result<(), Refusal> {
        if self.has(scope) {
            Ok(())
        } else {
            Err(Refusal::lacks(scope))
        }
    }

    /// Whether the account is one of theirs.
    pub(super) fn sees(&self, user: &str) -> bool {
        self.accounts.iter().any(|glob| glob.matches(user))
    }

    /// Whether every account is one of theirs.
    pub(super) fn sees_all(&self) -> bool {
        self.accounts.iter().any(AccountGlob::is_all)
    }

    /// # Errors
    /// 404 when the account is none of theirs.
    pub(super) fn must_see(&self, user: &str) -> Result<(), Refusal> {
        if self.sees(user) {
            Ok(())
        } else {
            Err(Refusal::no_account(user))
        }
    }
}

/// What the guard has found out about a request.
#[derive(Clone, Debug)]
pub(super) struct Identity(pub(super) Result<Caller, Refusal>);

fn caller(request: &HttpRequest) -> Result<Caller, Refusal> {
    match request.extensions().get::<Identity>() {
        Some(Identity(found)) => found.clone(),
        None => Err(Refusal::unauthorized("nobody has looked who asks")),
    }
}

/// An extractor for each scope: a handler that takes it is for callers with the scope.
macro_rules! extractors {
    ($($(#[$doc:meta])* $name:ident $scope:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $name(pub(super) Caller);

        impl FromRequest for $name {
            type Error = Refusal;
            type Future = Ready<Result<Self, Refusal>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(caller(request).and_then(|caller| {
                    caller.may(AdminScope::$scope)?;
                    Ok(Self(caller))
                }))
            }
        }
    )*};
}

extractors! {
    /// With the scope `read`.
    Reader Read
    /// With the scope `operate`.
    Operator Operate
    /// With the scope `send`.
    Sender Send
    /// With the scope `admin`.
    Administrator Admin
}

/// Anybody who is known, whatever their scopes.
#[derive(Debug)]
pub(super) struct Known(pub(super) Caller);

impl FromRequest for Known {
    type Error = Refusal;
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).map(Self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_only_read_may_change_nothing() {
        for (scope, may) in [
            (AdminScope::Read, false),
            (AdminScope::Operate, true),
            (AdminScope::Send, true),
            (AdminScope::Admin, true),
        ] {
            let token = AdminToken {
                name: "t".to_owned(),
                hash: [0; 32],
                scopes: vec![scope],
                accounts: Vec::new(),
            };
            assert_eq!(Caller::of(&token).may_change(), may, "{scope:?}");
        }
        assert!(Caller::owner().may_change());
    }
}
