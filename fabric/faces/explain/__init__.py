"""Why a link, switch, job, phase or limit is as it is, and which single change helps."""
