"""A review of counts: contradictions, what follows, and what can be built."""

from __future__ import annotations

from fabric.review.build_counts import buildable
from fabric.review.claims import Claims
from fabric.review.count_findings import count_findings
from fabric.review.counts import check_counts, derived
from fabric.review.finding import Finding, ReviewResult, by_severity
from fabric.review.prices import price_findings


def review_counts(claims: Claims) -> ReviewResult:
    """Weigh counts against each other, and find the fabric next to them that can be built.

    Parameters
    ----------
    claims : Claims
        Any part of the counts of a slide.

    Examples
    --------
    >>> from fabric.review.claims import flag_claims
    >>> from topologies.catalogue import builtin
    >>> slide = flag_claims({"leaves": 64, "uplinks": 8, "spines": 4, "radix": 64, "gpus": 512}, builtin())
    >>> review = review_counts(slide)
    >>> review.findings[0].text
    '512 uplinks need 512 spine ports, and there are 256'
    >>> review.buildable.changed
    ('spines 8 instead of 4',)
    """
    checked = check_counts(claims)
    known = checked.known_without(*checked.doubted)
    findings = [*count_findings(checked), *price_findings(claims, checked.shape, known)]
    offer, why = buildable(checked)
    if not any(finding.severity == "contradiction" for finding in findings):
        findings.append(_agree(claims))
    return ReviewResult(
        claims.name, "counts", by_severity(findings), checked.assumptions, derived(known, claims), offer, why
    )


def _agree(claims: Claims) -> Finding:
    """All claims can be true together."""
    subject = ", ".join(claims.shown(key) for key in claims.keys)
    text = f"the {len(claims.keys)} counts do not contradict each other"
    return Finding("note", "consistent", subject, text)
