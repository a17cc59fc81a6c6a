//! Counters of groups.

use super::{ApiError, GroupApi, count};
use crate::proto::op::group_counter::Counter;
use crate::proto::op::group_counter::CounterMode;
use crate::proto::op::group_counter::Counters;
use crate::proto::op::group_counter::GetCounters;
use crate::proto::op::group_counter::MAX_COUNTERS;
use crate::proto::op::group_counter::UpdateCounters;

impl GroupApi<'_> {
    /// All counters of the group.
    ///
    /// # Errors
    /// When the server did not answer.
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let counters = api.group(&group).counters().await?;
    /// let likes = counters.get("likes").unwrap_or(0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn counters(&self) -> Result<Counters, ApiError> {
        let request = GetCounters {
            group: self.name()?,
            keys: Vec::new(),
        };
        self.api().call(&request).await
    }

    /// Changes counters, 20 at most, and returns their new values.
    ///
    /// # Errors
    /// When the server refused it; [`ApiError::TooMany`].
    ///
    /// ```
    /// # use botroupe::prelude::*;
    /// # use botroupe::types::group_counter::CounterMode;
    /// # async fn example(api: Api, group: Group) -> Result<(), ApiError> {
    /// let counters = api.group(&group).count(CounterMode::Increase, [("likes", 1)]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn count(
        &self,
        mode: CounterMode,
        counters: impl IntoIterator<Item = (impl Into<String>, i64)>,
    ) -> Result<Counters, ApiError> {
        let counters = counters.into_iter().map(|(key, value)| Counter {
            key: key.into(),
            value,
        });
        let request = UpdateCounters {
            group: self.name()?,
            counters: counters.collect(),
            mode,
        };
        count(request.counters.len(), "counters", MAX_COUNTERS)?;
        self.api().call(&request).await
    }
}
