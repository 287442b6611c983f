// The form as a program of TypeScript asks for it: a fragment per section, composed into queries and mutations.

import { graphql } from "../generated/codegen/gql.js";

export const Form = graphql(`
  fragment Form on VirtualExtension {
    id
    version
    number
    name
    createdAt
    information {
      ...Information
    }
    callSettings {
      ...CallSettings
    }
    outboundRecording {
      ...OutboundRecording
    }
    security {
      ...Security
    }
    webUserPanel {
      ...WebUserPanel
    }
    outboundCalls {
      ...OutboundCalls
    }
    followMe {
      ...FollowMe
    }
    additionalDestinations {
      ...AdditionalDestinations
    }
    note {
      ...Note
    }
  }
`);

export const Information = graphql(`
  fragment Information on Information {
    emails
    securityPinSet
    internalCallerIdMode
    internalCallerIdNumber
    members {
      number
      name
    }
    callGroups {
      name
    }
    voicemailMwiMailbox {
      number
    }
    inboundTimeoutSeconds
  }
`);

export const CallSettings = graphql(`
  fragment CallSettings on CallSettings {
    txVolume
    rxVolume
    musicOnHold {
      name
    }
    callWaitingServerSide
    parkingLot {
      name
    }
  }
`);

export const OutboundRecording = graphql(`
  fragment OutboundRecording on OutboundRecording {
    alwaysRecordOutbound
    recordingEmails
    minRecordingBytes
    transcript
  }
`);

export const Security = graphql(`
  fragment Security on Security {
    outboundMode
    outboundRegex
    maxOutboundSeconds
    workingHoursCondition {
      conditionType
      spans {
        fromTime
      }
    }
  }
`);

export const WebUserPanel = graphql(`
  fragment WebUserPanel on WebUserPanel {
    userPanelEnabled
    webUser
    twoFactorType
    notificationEmail
    userProfile {
      name
    }
  }
`);

export const OutboundCalls = graphql(`
  fragment OutboundCalls on OutboundCalls {
    externalCallerIdNumber
    emergencyCallerIdNumber
    areaCodeRegex
    doNotCallLists {
      name
    }
    routingProfile {
      name
    }
  }
`);

export const FollowMe = graphql(`
  fragment FollowMe on FollowMe {
    enabled
    number
    dialMethod
    fixedCallerId
    delaySeconds
  }
`);

export const AdditionalDestinations = graphql(`
  fragment AdditionalDestinations on AdditionalDestinations {
    onBusyEnabled
    onBusy {
      objectId
      number
      hangup
      object {
        __typename
        kind
        number
        ... on Queue {
          maxPenalty
        }
      }
    }
    missedCallEmails
  }
`);

export const Note = graphql(`
  fragment Note on Note {
    branch
    department
    referenceId
    additionalInfo
  }
`);

export const Problems = graphql(`
  fragment Problems on VirtualExtensionPayload {
    userErrors {
      path
      code
      message
    }
    warnings {
      path
      code
      brokenRule
    }
  }
`);

export const ReadForm = graphql(`
  query ReadForm($by: ObjectBy!) {
    tenant {
      code
      virtualExtension(by: $by) {
        ...Form
      }
    }
  }
`);

export const ReadPage = graphql(`
  query ReadPage($first: Int!, $after: String, $filter: VirtualExtensionFilter) {
    tenant {
      virtualExtensions(first: $first, after: $after, filter: $filter) {
        totalCount
        edges {
          cursor
          node {
            number
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

export const Create = graphql(`
  mutation Create($input: VirtualExtensionCreateInput!) {
    virtualExtensionCreate(input: $input) {
      object {
        ...Form
      }
      ...Problems
    }
  }
`);

export const UpdateNote = graphql(`
  mutation UpdateNote($input: VirtualExtensionNoteUpdateInput!) {
    virtualExtensionNoteUpdate(input: $input) {
      object {
        ...Form
      }
      changes {
        path
        before
        after
      }
      ...Problems
    }
  }
`);

export const Delete = graphql(`
  mutation Delete($input: ObjectDeleteInput!) {
    objectDelete(input: $input) {
      deletedId
      userErrors {
        code
      }
    }
  }
`);
