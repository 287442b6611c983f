//! Outbound Calls: caller ID, area code, allowed numbers and routing of outside calls.

use super::rules::Rules;
use super::section::section;
use super::{AreaCode, Checked, Expression, Facts, Form, Links, Samples};
use crate::domain::{Code, DigitCount, Digits, DisplayName, Id, Pattern, PhoneNumber, Problem, kind};

section! {
    "outbound_calls", "OutboundCallsInput";
    /// Caller ID, area code, allowed numbers and routing of outside calls.
    pub struct OutboundCalls {
        /// The number that people outside see: 2 to 20 digits with an optional + in front; null uses the tenant's or
        /// the route's. One that is not the tenant's own causes a warning.
        pub external_caller_id_number: Option<PhoneNumber>,
        /// The name that people outside see, at most 35 characters.
        pub external_caller_id_name: DisplayName<35>,
        /// Whether outside calls are anonymous instead of showing the external caller ID. Off by default.
        pub block_caller_id: bool,
        /// The number that emergency services see: 2 to 20 digits with an optional + in front.
        pub emergency_caller_id_number: Option<PhoneNumber>,
        /// Whether a member that calls through this extension shows `externalCallerIdNumber` instead of its own outside
        /// number. Off by default.
        pub use_this_caller_id_in_virtual: bool,
        /// The rule set that rewrites the caller ID of outside calls; null leaves it as it is.
        pub caller_id_rule_set_id: Option<Id<kind::CallerIdRuleSet>>,
        /// The digits put in front of short dialled numbers, so that 123456 becomes 055123456; at most 8, none by
        /// default.
        pub area_code: Digits<8>,
        /// The shortest dialled number that gets the area code: 0 to 20 digits, 0 by default.
        pub area_code_min_digits: DigitCount,
        /// The longest dialled number that gets the area code: 0 to 20 digits, 0 by default. It must not be less than
        /// `areaCodeMinDigits`.
        pub area_code_max_digits: DigitCount,
        /// The expression that a dialled number must also match to get the area code; null sets no such condition.
        pub area_code_regex: Option<Pattern>,
        /// Whether the tenant's area code and lengths apply instead of `areaCode`, `areaCodeMinDigits` and
        /// `areaCodeMaxDigits`. On by default.
        pub use_tenant_area_code: bool,
        /// Whether the tenant's expression applies instead of `areaCodeRegex`. On by default.
        pub use_tenant_area_code_regex: bool,
        /// The lists of numbers that the extension may not dial, at most 16.
        pub do_not_call_list_ids: Links<kind::CallList, 16>,
        /// If any are given, the extension may dial only numbers in these lists; at most 16. A list cannot also be in
        /// `doNotCallListIds`.
        pub only_allow_call_list_ids: Links<kind::CallList, 16>,
        /// The profile whose routes carry outside calls; null uses the tenant's profile.
        pub routing_profile_id: Option<Id<kind::RoutingProfile>>,
        /// Whether the routing profile also applies to calls placed for another extension. Off by default.
        pub apply_always_routing_profile: bool,
    }
}

impl Rules for OutboundCalls {
    fn initial() -> Self {
        Self { use_tenant_area_code: true, use_tenant_area_code_regex: true, ..Self::blank() }
    }

    fn check(form: &Form, facts: &Facts, checked: &mut Checked) {
        let section = "outboundCalls";
        let calls = &form.outbound_calls;
        if let Some(number) = &calls.external_caller_id_number
            && !facts.owns(number.as_str())
        {
            let rule = format!("is not one of the tenant's outside numbers: {}", number.as_str());
            checked.warn(section, "externalCallerIdNumber", Code::NumberNotOwned, rule);
        }
        if calls.use_this_caller_id_in_virtual && calls.external_caller_id_number.is_none() {
            let rule = "has no effect while externalCallerIdNumber is empty";
            checked.warn(section, "useThisCallerIdInVirtual", Code::NoEffect, rule);
        }
        if calls.area_code_min_digits > calls.area_code_max_digits {
            let rule = format!("must not be greater than areaCodeMaxDigits, {}", calls.area_code_max_digits.get());
            checked.error(
                section,
                "areaCodeMinDigits",
                Problem::new(Code::OutOfRange, rule).value(calls.area_code_min_digits.get()),
            );
        }
        for (i, list) in calls.only_allow_call_list_ids.ids().iter().enumerate() {
            if calls.do_not_call_list_ids.ids().contains(list) {
                let problem = Problem::new(Code::Contradiction, "is also in doNotCallListIds")
                    .value(list.object().opaque().as_str());
                checked.errors.push(problem.related(list.object()).under(i).at(section, "onlyAllowCallListIds"));
            }
        }
    }

    fn expressions<'a>(form: &'a Form, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        let calls = &form.outbound_calls;
        let area = calls.effective_area_code(area);
        let Some(pattern) = calls.area_code_regex.as_ref().filter(|_| !calls.use_tenant_area_code_regex) else {
            return;
        };
        if !area.digits.is_empty() {
            visit(Expression::new(pattern, Samples::Short(area), &["outboundCalls", "areaCodeRegex"]));
        }
    }
}

impl OutboundCalls {
    /// The area code for numbers that are dialled here, given the area code of the tenant.
    pub(super) fn effective_area_code(&self, tenant: &AreaCode) -> AreaCode {
        let own = AreaCode {
            digits: self.area_code.as_str().to_owned(),
            lengths: (self.area_code_min_digits.get(), self.area_code_max_digits.get()),
            pattern: self.area_code_regex.clone(),
        };
        let pattern = if self.use_tenant_area_code_regex { tenant.pattern.clone() } else { own.pattern.clone() };
        let base = if self.use_tenant_area_code { tenant.clone() } else { own };
        AreaCode { pattern, ..base }
    }
}
