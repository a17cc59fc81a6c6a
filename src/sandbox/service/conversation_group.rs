//! Conversation groups: named sets of conversations of one account.
//!
//! See "Conversations and people" in docs/src/protocol.md.

use serde_json::{Value, json};

use crate::{
    answer::{ok, ok_with},
    commands::Commands,
    proto::code::Code,
    request::Request,
    service::conversation::{Contact, MAX_WORDS, contacts_in, items_in, of_owner, outcome},
    state::State,
};

/// The most conversation groups per account.
const MAX_GROUPS: usize = 20;

pub(crate) fn register(commands: &mut Commands) {
    commands.both(
        "recentcontact.get_contact_group",
        |command| of_owner(command).any_body().reads(),
        |s, r| s.contact_groups(r),
    );
    commands.both("recentcontact.search_contact_group", of_owner, |s, r| {
        s.contact_groups_of(r)
    });
    commands.both("recentcontact.create_contact_group", of_owner, |s, r| {
        s.create_contact_groups(r)
    });
    commands.both("recentcontact.del_contact_group", of_owner, |s, r| {
        s.delete_contact_groups(r)
    });
    commands.both("recentcontact.update_contact_group", of_owner, |s, r| {
        s.update_contact_group(r)
    });
}

impl State {
    /// `recentcontact.get_contact_group`: everything in one page.
    pub(crate) fn contact_groups(&self, request: &Request<'_>) -> Value {
        let caller = request.caller;
        let Some(account) = self.world.accounts.get(&caller.user) else {
            return ok_with(json!({"CompleteFlag": 1}));
        };
        let contacts = &account.contacts;
        ok_with(json!({
            "CompleteFlag": 1, "NextStartIndex": 0, "GroupItem": contacts.group_items(),
            "ContactItem": contacts.items(),
        }))
    }

    /// `recentcontact.search_contact_group`.
    pub(crate) fn contact_groups_of(&self, request: &Request<'_>) -> Value {
        let (caller, body) = (request.caller, request.body);
        let Some(account) = self.world.accounts.get(&caller.user) else {
            return ok();
        };
        let items: Vec<Value> = contacts_in(body.get("ContactItem"))
            .iter()
            .map(|contact| account.contacts.item(contact))
            .collect();
        ok_with(json!({
            "ContactResultItem": items, "GroupItem": account.contacts.group_items(),
        }))
    }

    /// `recentcontact.create_contact_group`; members are added to a group that exists already.
    pub(crate) fn create_contact_groups(&mut self, request: &Request<'_>) -> Value {
        let (now, caller, body) = request.parts();
        let (mut rows, mut changed) = (Vec::new(), Vec::new());
        for item in items_in(body, "GroupContactItem") {
            let name = item
                .get("GroupName")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let Some(account) = self.world.accounts.get_mut(&caller.user) else {
                break;
            };
            let contacts = &mut account.contacts;
            let known = contacts.group_named(name);
            let fits = !name.is_empty() && name.len() <= MAX_WORDS;
            let id = match known {
                Some(id) => id,
                None if fits && contacts.groups() < MAX_GROUPS => contacts.add_group(name),
                None => {
                    rows.push(json!({
                        "GroupItem": {"GroupId": 0, "GroupName": name}, "ResultItem": [],
                        "ResultCode": Code::CONTACT_REFUSED.0,
                        "ResultInfo": "there is no room for it",
                    }));
                    continue;
                }
            };
            let (mut members, mut added) = (Vec::new(), Vec::new());
            for contact in contacts_in(item.get("ContactItem")) {
                let done = contacts.put(&contact, id, true);
                members.push(outcome(&contact, done));
                if done {
                    added.push(contact.pushed());
                }
            }
            let group = json!({"GroupId": id, "GroupName": name});
            rows.push(json!({"GroupItem": group, "ResultItem": members}));
            changed.push(json!({"MsgGroupItem": group, "MsgRecentContactItem": added}));
        }
        if !changed.is_empty() {
            let list = json!({"MsgContactGroupContactItem": changed});
            self.tell_contacts(now, caller, 5, "RecentContactCreateContactGroup", list);
        }
        ok_with(json!({"GroupResultItem": rows}))
    }

    /// `recentcontact.del_contact_group`.
    pub(crate) fn delete_contact_groups(&mut self, request: &Request<'_>) -> Value {
        let (now, caller, body) = request.parts();
        let mut gone = Vec::new();
        if let Some(account) = self.world.accounts.get_mut(&caller.user) {
            let contacts = &mut account.contacts;
            for name in items_in(body, "GroupName").filter_map(Value::as_str) {
                let Some(id) = contacts.group_named(name) else {
                    continue;
                };
                contacts.remove_group(id);
                gone.push(json!({"GroupId": id, "GroupName": name}));
            }
        }
        if !gone.is_empty() {
            let list = json!({"MsgGroupItem": gone});
            self.tell_contacts(now, caller, 6, "RecentContactDelContactGroup", list);
        }
        ok_with(json!({"GroupItem": gone}))
    }

    /// `recentcontact.update_contact_group`: renames a group (type 1), or adds and removes members
    /// (type 2).
    pub(crate) fn update_contact_group(&mut self, request: &Request<'_>) -> Result<Value, Code> {
        let (now, caller, body) = request.parts();
        let empty = json!({});
        let update = body.get("UpdateGroup").unwrap_or(&empty);
        let text = |field: &str| update.get(field).and_then(Value::as_str);
        // The SDK names the group in `OldGroupName` to rename it, in `GroupName` to change members.
        let old = text("OldGroupName")
            .or_else(|| text("GroupName"))
            .unwrap_or_default();
        let Some(account) = self.world.accounts.get_mut(&caller.user) else {
            return Ok(ok());
        };
        let contacts = &mut account.contacts;
        let id = contacts.group_named(old).ok_or(Code::CONTACT_REFUSED)?;
        let (mut rows, mut changed) = (Vec::new(), Vec::new());
        let new = text("NewGroupName").filter(|name| !name.is_empty() && name.len() <= MAX_WORDS);
        if let Some(new) = new {
            contacts.rename_group(id, new);
        }
        for item in items_in(update, "ContactUpdateItem").chain(items_in(update, "UpdateItem")) {
            let Some(contact) = item.get("ContactItem").and_then(Contact::parse) else {
                continue;
            };
            let kind = item
                .get("ContactOptType")
                .or_else(|| item.get("OperationType"));
            let kind = kind.and_then(Value::as_u64).unwrap_or(0);
            let done = contacts.put(&contact, id, kind != 2);
            rows.push(outcome(&contact, done));
            if done {
                changed.push(json!({
                    "ContactOptType": kind, "RecentContactItem": contact.pushed(),
                }));
            }
        }
        let event = json!({"UpdateType": 1, "MsgUpdateGroup": {
            "UpdateGroupType": if new.is_some() { 1 } else { 2 }, "GroupId": id,
            "GroupName": new.unwrap_or(old), "OldGroupName": old,
            "RecentContactUpdateGroupItem": changed,
        }});
        self.tell_contacts(now, caller, 7, "RecentContactUpdateContactGroup", event);
        Ok(ok_with(
            json!({"UpdateGroupResult": {"GroupId": id, "ContactResultItem": rows}}),
        ))
    }
}
