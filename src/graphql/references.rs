//! What the ids in sections and details lead to: a line per reference.

use std::future::Future;

use async_graphql::{ComplexObject, Context, Result};

use super::objects::{self, PbxObject, Wrapped};
use super::scope::{Nullable, Scope};
use crate::domain::{Id, Target};
use crate::form::{
    AdditionalDestinations, CallSettings, Destination, FollowMe, Information, Links, OutboundCalls, OutboundRecording,
    Security, WebUserPanel,
};
use crate::objects as details;

/// A field that leads to objects.
trait Resolve {
    type Object;

    fn resolve(&self, ctx: &Context<'_>) -> impl Future<Output = Result<Self::Object>> + Send;
}

impl<K: Target + Wrapped> Resolve for Id<K> {
    type Object = K::Object;

    async fn resolve(&self, ctx: &Context<'_>) -> Result<Self::Object> {
        let scope = Scope::of(ctx)?;
        scope.object(self.object()).await?.map(K::wrap).ok_or_else(|| scope.dangling())
    }
}

impl<K: Target + Wrapped> Resolve for Option<Id<K>> {
    type Object = Option<K::Object>;

    async fn resolve(&self, ctx: &Context<'_>) -> Result<Self::Object> {
        match self {
            Some(id) => id.resolve(ctx).await.map(Some),
            None => Ok(None),
        }
    }
}

impl<K: Target + Wrapped, const MAX: usize> Resolve for Links<K, MAX> {
    type Object = Vec<K::Object>;

    async fn resolve(&self, ctx: &Context<'_>) -> Result<Self::Object> {
        let rows = Scope::of(ctx)?.objects(self.ids().iter().map(|id| id.object()).collect()).await?;
        Ok(rows.into_iter().map(K::wrap).collect())
    }
}

/// How a type is answered when looking for it may fail: see [`Nullable`].
trait Answer: Sized {
    type Shape;

    fn of(found: Result<Self>) -> Self::Shape;
}

impl<T> Answer for Option<T> {
    type Shape = Nullable<T>;

    fn of(found: Result<Self>) -> Self::Shape {
        found.transpose()
    }
}

impl<T> Answer for Vec<T> {
    type Shape = Result<Self>;

    fn of(found: Result<Self>) -> Self::Shape {
        found
    }
}

impl Answer for PbxObject {
    type Shape = Result<Self>;

    fn of(found: Result<Self>) -> Self::Shape {
        found
    }
}

/// `references! { Section { /// What it is. name: Type = id_field; } }`
macro_rules! references {
    ($($Section:ty { $($(#[$doc:meta])+ $name:ident: $Type:ty = $field:ident;)+ })+) => {
        $(#[ComplexObject]
        impl $Section {
            $($(#[$doc])+
            async fn $name(&self, ctx: &Context<'_>) -> <$Type as Answer>::Shape {
                Answer::of(self.$field.resolve(ctx).await)
            })+
        })+
    };
}

references! {
    Information {
        /// The real extensions in `memberIds`.
        members: Vec<objects::Extension> = member_ids;
        /// The call groups in `callGroupIds`.
        call_groups: Vec<objects::CallGroup> = call_group_ids;
        /// The pickup groups in `pickupGroupIds`.
        pickup_groups: Vec<objects::PickupGroup> = pickup_group_ids;
        /// The spy groups in `spyGroupIds`.
        spy_groups: Vec<objects::SpyGroup> = spy_group_ids;
        /// The voicemail box behind `voicemailMwiMailboxId`.
        voicemail_mwi_mailbox: Option<objects::VoicemailBox> = voicemail_mwi_mailbox_id;
    }
    CallSettings {
        /// The music-on-hold class behind `musicOnHoldId`.
        music_on_hold: Option<objects::MusicOnHold> = music_on_hold_id;
        /// The spoken name behind `recordedNameMediaId`.
        recorded_name_media: Option<objects::MediaFile> = recorded_name_media_id;
        /// The lot behind `parkingLotId`.
        parking_lot: Option<objects::ParkingLot> = parking_lot_id;
    }
    OutboundRecording {
        /// The announcement behind `recordingAnnouncementMediaId`.
        recording_announcement_media: Option<objects::MediaFile> = recording_announcement_media_id;
    }
    Security {
        /// The condition behind `workingHoursConditionId`.
        working_hours_condition: Option<objects::Condition> = working_hours_condition_id;
    }
    WebUserPanel {
        /// The LDAP server behind `ldapServerId`.
        ldap_server: Option<objects::LdapServer> = ldap_server_id;
        /// The profile behind `userProfileId`.
        user_profile: Option<objects::UserProfile> = user_profile_id;
    }
    OutboundCalls {
        /// The rules behind `callerIdRuleSetId`.
        caller_id_rule_set: Option<objects::CallerIdRuleSet> = caller_id_rule_set_id;
        /// The lists in `doNotCallListIds`.
        do_not_call_lists: Vec<objects::CallList> = do_not_call_list_ids;
        /// The lists in `onlyAllowCallListIds`.
        only_allow_call_lists: Vec<objects::CallList> = only_allow_call_list_ids;
        /// The profile behind `routingProfileId`.
        routing_profile: Option<objects::RoutingProfile> = routing_profile_id;
    }
    FollowMe {
        /// The condition behind `conditionId`.
        condition: Option<objects::Condition> = condition_id;
        /// The prompt behind `confirmMediaId`.
        confirm_media: Option<objects::MediaFile> = confirm_media_id;
        /// The message behind `holdMediaId`.
        hold_media: Option<objects::MediaFile> = hold_media_id;
    }
    AdditionalDestinations {
        /// The condition behind `conditionId`.
        condition: Option<objects::Condition> = condition_id;
    }
    details::Condition {
        /// The conditions in `partIds`.
        parts: Vec<objects::Condition> = part_ids;
        /// The real extensions in `extensionIds`.
        extensions: Vec<objects::Extension> = extension_ids;
    }
    details::MusicOnHold {
        /// The media files in `mediaIds`.
        media: Vec<objects::MediaFile> = media_ids;
    }
    details::ParkingLot {
        /// The class behind `musicOnHoldId`.
        music_on_hold: Option<objects::MusicOnHold> = music_on_hold_id;
    }
    details::Route {
        /// The provider behind `providerId`.
        provider: Option<objects::Provider> = provider_id;
    }
    details::Queue {
        /// The class behind `musicOnHoldId`.
        music_on_hold: Option<objects::MusicOnHold> = music_on_hold_id;
        /// The announcement behind `announcementMediaId`.
        announcement_media: Option<objects::MediaFile> = announcement_media_id;
        /// The announcement behind `periodicAnnouncementMediaId`.
        periodic_announcement_media: Option<objects::MediaFile> = periodic_announcement_media_id;
        /// The spy groups in `spyGroupIds`.
        spy_groups: Vec<objects::SpyGroup> = spy_group_ids;
        /// The extensions in `allowedMemberIds`.
        allowed_members: Vec<PbxObject> = allowed_member_ids;
    }
    details::QueueMember {
        /// The extension behind `extensionId`.
        extension: PbxObject = extension_id;
    }
    details::Ivr {
        /// The prompt behind `promptMediaId`.
        prompt_media: Option<objects::MediaFile> = prompt_media_id;
    }
    details::HuntList {
        /// The class behind `musicOnHoldId`.
        music_on_hold: Option<objects::MusicOnHold> = music_on_hold_id;
        /// The prompt behind `confirmMediaId`.
        confirm_media: Option<objects::MediaFile> = confirm_media_id;
    }
    details::Phone {
        /// The phone books in `phoneBookIds`.
        phone_books: Vec<objects::PhoneBook> = phone_book_ids;
    }
    details::PhoneLine {
        /// The extension behind `extensionId`.
        extension: PbxObject = extension_id;
    }
    details::PhoneKey {
        /// The extension behind `extensionId`.
        extension: Option<PbxObject> = extension_id;
    }
    details::Conference {
        /// The class behind `musicOnHoldId`.
        music_on_hold: Option<objects::MusicOnHold> = music_on_hold_id;
    }
    details::PagingGroup {
        /// The extensions in `memberIds`.
        members: Vec<PbxObject> = member_ids;
        /// The announcement behind `announcementMediaId`.
        announcement_media: Option<objects::MediaFile> = announcement_media_id;
    }
    details::Flow {
        /// The extension behind `monitoredExtensionId`.
        monitored_extension: Option<PbxObject> = monitored_extension_id;
    }
}

#[ComplexObject]
impl Destination {
    /// The object behind `objectId`.
    async fn object(&self, ctx: &Context<'_>) -> Nullable<PbxObject> {
        let id = self.leads_to()?;
        let found = async { Ok(Scope::of(ctx)?.objects(vec![id]).await?.pop().and_then(PbxObject::of)) };
        found.await.transpose()
    }
}
