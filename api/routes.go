package api

// Route is one path and method, and everything that may be said of it in a line: who may call it,
// what its 404 names, what it does. The contract's conventions come with the verb (verbs.go).
type Route struct {
	Method  string
	Path    string // below /api/v1
	May     Roles  // who may call it; a route that declares nobody stops the server from starting
	Noun    string // what a 404 did not find, and the kind of resource in an idempotency record
	Serve   verb
	Summary string
}

// basePath is where the routes stand.
const basePath = "/api/v1"

// Routes is every route of version 1.
var Routes = []Route{
	{"GET", "/health", Public, "", raw(health).
		showing(healthBody{}), "Tell that the server runs"},
	{"GET", "/health/ready", Public, "", raw(ready).
		showing(readyBody{}), "Tell whether the server can work"},

	{"GET", "/buildings", Everyone, "building", list(listBuildings).
		sorted("created_at", "name", "total_units", "city", "construction_year").
		spanning().remembered("buildings", "totals"), "List buildings"},
	{"POST", "/buildings", Managers, "building", create(createBuilding).
		saying(buildingWords...), "Register a building"},
	{"GET", "/buildings/{id}", Everyone, "building", read(readBuilding).asOf().
		remembered("buildings"), "Read a building"},
	{"PUT", "/buildings/{id}", Managers, "building", change(changeBuilding).
		saying(buildingWords...), "Change a building"},
	{"DELETE", "/buildings/{id}", Managers, "building", remove(removeBuilding), "Remove a building"},
	{"GET", "/buildings/{id}/history", Professionals, "building", list(buildingHistory).
		sorted("position"), "List what happened to a building"},
	{"GET", "/buildings/{id}/replay", Professionals, "building", read(replayBuilding), "Replay it"},
	{"GET", "/buildings/{id}/diff", Professionals, "building", read(diffBuilding), "Tell changes"},
	{"GET", "/buildings/{id}/units", Everyone, "building", read(buildingUnits).
		asOf(), "List a building's units"},
	{"GET", "/buildings/{id}/owners", Everyone, "building", read(buildingOwners).
		asOf(), "List a building's owners"},
	{"GET", "/buildings/{id}/expenses", Everyone, "building", read(buildingExpenses).
		asOf(), "List a building's expenses"},
	{"GET", "/buildings/{id}/meetings", Everyone, "building", read(buildingNone).
		asOf(), "List a building's meetings"},
	{"GET", "/buildings/{id}/documents", Everyone, "building", read(buildingNone).
		asOf(), "List a building's documents"},

	{
		"GET", "/units", Everyone, "unit", list(listUnits).
			sorted("unit_number", "floor", "surface_area", "created_at").
			spanning().remembered("lots", "totals"), "List units",
	},
	{"POST", "/units", Managers, "unit", create(createUnit).saying(unitWords...), "Register a unit"},
	{
		"GET", "/units/{id}", Everyone, "unit", read(readUnit).asOf().remembered("lots"),
		"Read a unit",
	},
	{
		"PUT", "/units/{id}", Managers, "unit", change(changeUnit).saying(unitWords...),
		"Change a unit",
	},
	{"DELETE", "/units/{id}", Managers, "unit", remove(removeUnit), "Take a unit out of the books"},
	{
		"PUT", "/units/{id}/assign-owner/{owner_id}", Managers, "unit", change(assignOwner),
		"Give a unit a sole owner",
	},
	{
		"GET", "/units/{id}/owners", Everyone, "unit", read(unitOwners).asOf(),
		"List those who own a unit",
	},
	{
		"POST", "/units/{id}/owners", Managers, "unit",
		create(addUnitOwner).saying(relationWords...), "Give a part of a unit to an owner",
	},
	{
		"GET", "/units/{id}/owners/history", Everyone, "unit", read(unitOwnersHistory).asOf(),
		"List all who ever owned a unit",
	},
	{
		"GET", "/units/{id}/owners/total-percentage", Everyone, "unit",
		read(unitOwnersTotal).asOf(), "Add up who owns a unit",
	},
	{
		"POST", "/units/{id}/owners/transfer", Managers, "unit", act(transferUnit),
		"Hand a unit, or a part of it, to another owner",
	},
	{
		"DELETE", "/units/{id}/owners/{owner_id}", Managers, "unit", erase(endUnitOwner),
		"End what an owner holds of a unit",
	},
	{"GET", "/owners/{id}/units", Everyone, "owner", read(ownerUnits), "List what an owner holds"},
	{
		"GET", "/owners/{id}/units/history", Everyone, "owner", read(ownerUnitsHistory),
		"List all that an owner ever held",
	},
	{
		"PUT", "/unit-owners/{id}", Managers, "ownership",
		change(changeUnitOwner).saying(relationWords...), "Change a fraction or the contact",
	},

	{"GET", "/owners", Everyone, "owner", list(listOwners).
		sorted("last_name", "first_name", "email", "created_at").
		spanning().remembered("owners"), "List owners"},
	{"POST", "/owners", Managers, "owner", create(createOwner), "Register an owner"},
	{"GET", "/owners/me", Everyone, "owner", read(myOwner), "Read who the caller is as an owner"},
	{"GET", "/owners/{id}", Everyone, "owner", read(readOwner).asOf(), "Read an owner"},
	{"PUT", "/owners/{id}", Managers, "owner", change(changeOwner), "Change an owner"},
	{"DELETE", "/owners/{id}", Managers, "owner", remove(removeOwner), "Remove an owner"},
	{
		"PUT", "/owners/{id}/link-user", Managers, "owner", change(linkOwner),
		"Let an owner sign in as a user",
	},
	{"GET", "/pcn/{id}", Professionals, "building", read(readPCN).asOf().
		remembered("buildings", "pcn_entries"), "Report a building's charges by account"},
	{"POST", "/pcn/report/{id}", Professionals, "building", act(reportPCN).asOf(), "The same"},
	{"GET", "/pcn/export/pdf/{id}", Professionals, "building", pcnFile("pdf").
		asOf(), "Take it away to print"},
	{"GET", "/pcn/export/excel/{id}", Professionals, "building", pcnFile("excel").
		asOf(), "Take it away as a workbook"},
	{"GET", "/pcn/export/csv/{id}", Professionals, "building", pcnFile("csv").
		asOf(), "Take it away as CSV"},
	{"GET", "/pcn/export/json/{id}", Professionals, "building", pcnFile("json").
		asOf(), "Take it away as JSON"},

	{
		"GET", "/expenses", Everyone, "expense", list(listExpenses).
			sorted("expense_date", "amount", "created_at", "payment_status").
			spanning().remembered("charges", "suppliers", "totals"), "List expenses",
	},
	{
		"POST", "/expenses", Bookkeepers, "expense", create(createExpense).saying(expenseWords...),
		"Draft an expense",
	},
	{
		"GET", "/expenses/{id}", Everyone, "expense", read(readExpense).asOf().
			remembered("charges", "suppliers"), "Read an expense",
	},
	{
		"PUT", "/expenses/{id}", Bookkeepers, "expense", change(changeExpense).
			saying(expenseWords...), "Change an expense in draft, or a rejected one",
	},
	{"DELETE", "/expenses/{id}", Bookkeepers, "expense", remove(removeExpense), "Remove an expense"},
	{
		"PUT", "/expenses/{id}/mark-paid", Bookkeepers, "expense", change(payExpense).
			saying(expenseWords...), "Say that the supplier was paid",
	},
	{
		"POST", "/expenses/{id}/mark-overdue", Bookkeepers, "expense", act(markExpenseOverdue),
		"Say that it was not paid in time",
	},
	{"POST", "/expenses/{id}/cancel", Bookkeepers, "expense", act(cancelExpense), "Cancel it"},
	{
		"POST", "/expenses/{id}/reactivate", Bookkeepers, "expense", act(reactivateExpense),
		"End a cancellation",
	},
	{"POST", "/expenses/{id}/unpay", Bookkeepers, "expense", act(unpayExpense), "Undo a payment"},
	{
		"GET", "/expenses/{id}/documents", Everyone, "expense", read(expenseDocuments),
		"List an expense's documents",
	},
	{
		"GET", "/expenses/{id}/payments", Everyone, "expense", read(expensePayments),
		"List an expense's payments",
	},
	{
		"GET", "/expenses/{id}/payments/total", Everyone, "expense", read(expensePaid),
		"Add an expense's payments up",
	},
	{
		"POST", "/invoices/draft", Bookkeepers, "invoice", create(createInvoice).
			saying(invoiceWords...), "Draft an invoice",
	},
	{
		"GET", "/invoices/pending", Everyone, "invoice", read(pendingInvoices),
		"List the invoices that wait for approval",
	},
	{
		"GET", "/invoices/{id}", Everyone, "invoice", read(readInvoice).asOf().
			remembered("charges", "suppliers"), "Read an invoice",
	},
	{
		"PUT", "/invoices/{id}", Bookkeepers, "invoice", change(changeInvoice).
			saying(invoiceWords...), "Change an invoice in draft, or a rejected one",
	},
	{
		"PUT", "/invoices/{id}/submit", Bookkeepers, "invoice", change(submitInvoice),
		"Ask for approval",
	},
	{
		"PUT", "/invoices/{id}/approve", Managers, "invoice", change(approveInvoice),
		"Approve an invoice and divide it",
	},
	{
		"PUT", "/invoices/{id}/reject", Managers, "invoice", change(rejectInvoice).
			saying(invoiceWords...), "Send an invoice back",
	},
	{
		"GET", "/invoices/{id}/distribution", Everyone, "invoice", read(invoiceDistribution),
		"Show how an invoice was divided",
	},
	{
		"POST", "/invoices/{id}/calculate-distribution", Bookkeepers, "invoice",
		act(calculateDistribution), "Show how an approved invoice was divided",
	},
	{
		"GET", "/owners/{id}/distributions", Everyone, "owner", read(ownerDistributions),
		"List what an owner bears",
	},
	{
		"GET", "/owners/{id}/total-due", Everyone, "owner", read(ownerTotalDue),
		"Add up what an owner bears",
	},
	{
		"GET", "/distribution-keys", Everyone, "distribution_key", read(listKeys).spanning(),
		"List distribution keys",
	},
	{
		"POST", "/distribution-keys", Managers, "distribution_key", create(createKey).
			saying(keyWords...), "Make a distribution key",
	},
	{
		"GET", "/distribution-keys/{id}", Everyone, "distribution_key", read(readKey),
		"Read a distribution key",
	},
	{
		"PUT", "/distribution-keys/{id}", Managers, "distribution_key", change(changeKey).
			saying(keyWords...), "Give a distribution key another version",
	},
	{
		"GET", "/accounts", Everyone, "account", read(listAccounts).spanning(),
		"List the chart of accounts",
	},

	{
		"GET", "/stats/syndic", Professionals, "organization", read(syndicStats).
			remembered("totals", "charge_figures"), "Show the figures of the syndic's landing page",
	},
	{
		"GET", "/stats/syndic/urgent-tasks", Professionals, "organization", read(urgentTasks).
			remembered("charges", "buildings", "lot_figures", "dated_lots"),
		"List what is urgent, most urgent first, at most 50",
	},
	{
		"GET", "/stats/owner", Owner, "organization", read(ownerStats),
		"Show an owner's own figures",
	},
	{
		"GET", "/stats/dashboard", Superadmin, "organization", read(platformStats).platform(),
		"Show the figures of all organizations",
	},
	{
		"GET", "/dashboard/accountant/stats", Professionals, "organization",
		read(accountantStats).remembered("charge_figures"),
		"Show the figures of the accountant's landing page",
	},
	{
		"GET", "/dashboard/accountant/transactions", Professionals, "organization",
		read(recentTransactions).remembered("charges", "suppliers"),
		"List what was paid last, the last first",
	},
	{
		"GET", "/notifications/unread", Everyone, "", read(noneOf).platform(),
		"List nothing: there are no notices",
	},
	{
		"GET", "/board-members/my-mandates", Everyone, "", read(myBoardMandates).platform(),
		"List nothing: there are no board members",
	},
	{
		"GET", "/tickets/statistics", Everyone, "", read(ticketStatistics).platform(),
		"Count nothing: there are no tickets",
	},
	{
		"GET", "/tickets/my", Everyone, "", read(noneOf).platform(),
		"List nothing: there are no tickets",
	},
	{
		"GET", "/buildings/{id}/work-reports", Everyone, "building", read(buildingNone),
		"List nothing: there are no work reports",
	},
	{
		"GET", "/buildings/{id}/technical-inspections", Everyone, "building", read(buildingNone),
		"List nothing: there are no technical inspections",
	},

	{"POST", "/auth/login", Public, "", act(login), "Sign in"},
	{"POST", "/auth/refresh", Public, "", act(refresh), "Take a fresh pair of tokens"},
	{"POST", "/auth/logout", Public, "", act(logout).answering(204), "Sign out"},
	{"GET", "/auth/me", Everyone, "user", read(me).platform(), "Show who is signed in"},
	{"POST", "/auth/switch-role", Everyone, "role", act(switchRole).
		platform(), "Go on in another role"},
	{"POST", "/auth/register", Managers, "user", create(registerUser).
		platform(), "Register a user and invite the person"},
	{"PUT", "/auth/password", Everyone, "user", change(changePassword).
		platform(), "Change the password"},
	{"POST", "/auth/password/forgot", Public, "", act(forgotPassword).
		answering(202), "Ask for a link to set a password"},
	{"POST", "/auth/password/reset", Public, "", act(resetPassword), "Set a password by a link"},
	{"GET", "/auth/sessions", Everyone, "session", read(listSessions).
		platform(), "List the caller's sessions"},
	{"DELETE", "/auth/sessions/{id}", Everyone, "session", remove(removeSession).
		platform(), "End one of the caller's sessions"},

	{"POST", "/2fa/setup", Everyone, "", act(setUpTwoFactor).platform(), "Prepare a second factor"},
	{"POST", "/2fa/enable", Everyone, "", act(enableTwoFactor).
		platform(), "Ask for a code at each sign-in"},
	{"POST", "/2fa/verify", Everyone, "", act(verifyTwoFactor).platform(), "Check a code"},
	{"POST", "/2fa/disable", Everyone, "", act(disableTwoFactor).
		platform(), "Ask for no code any more"},
	{"POST", "/2fa/regenerate-backup-codes", Everyone, "", act(renewBackupCodes).
		platform(), "Make other backup codes"},
	{"GET", "/2fa/status", Everyone, "", read(twoFactor).platform(), "Show the second factor's state"},

	{"GET", "/users", Managers, "user", list(listUsers).
		sorted("created_at", "email", "first_name", "last_name").upTo(1000).spanning(), "List users"},
	{"POST", "/users", Managers, "user", create(createUser).platform(), "Open a user account"},
	{"GET", "/users/{id}", Managers, "user", read(readUser).platform(), "Read a user"},
	{"PUT", "/users/{id}", Managers, "user", change(changeUser).platform(), "Change a user"},
	{"DELETE", "/users/{id}", Managers, "user", remove(removeUser).platform(), "Delete a user"},
	{"PUT", "/users/{id}/activate", Managers, "user", change(activateUser).
		platform(), "Let a user sign in again"},
	{"PUT", "/users/{id}/deactivate", Managers, "user", change(deactivateUser).
		platform(), "Keep a user out"},
	{"POST", "/users/{id}/roles", Managers, "user", create(grantRole).
		platform(), "Give a user a role"},
	{"DELETE", "/users/{id}/roles/{role_id}", Managers, "role", remove(revokeRole).
		platform(), "Take a role back"},
	{"GET", "/users/{id}/mandates", Managers, "user", read(listMandates).
		platform(), "List an auditor's mandates"},
	{"POST", "/users/{id}/mandates", Managers, "mandate", create(giveMandate).platform().
		saying(mandateWords...), "Limit what an auditor reads"},
	{"DELETE", "/users/{id}/mandates/{mandate_id}", Managers, "mandate", remove(endMandate).
		platform(), "End a mandate"},

	{"GET", "/organizations", Superadmin, "organization", list(listOrganizations).
		sorted("created_at", "name", "slug", "subscription_plan").upTo(1000).
		platform(), "List organizations"},
	{"POST", "/organizations", Superadmin, "organization", create(createOrganization).platform().
		saying(organizationWords...), "Found an organization"},
	{"GET", "/organizations/{id}", Superadmin, "organization", read(readOrganization).
		platform(), "Read an organization"},
	{"PUT", "/organizations/{id}", Superadmin, "organization", change(changeOrganization).platform().
		saying(organizationWords...), "Change an organization"},
	{"PUT", "/organizations/{id}/activate", Superadmin, "organization", change(activateOrganization).
		platform(), "Let an organization write again"},
	{"PUT", "/organizations/{id}/suspend", Superadmin, "organization", change(suspendOrganization).
		platform(), "Let an organization only read"},
	{"GET", "/organizations/{id}/settings", Managers, "organization", read(readSettings).
		platform(), "Read an organization's settings"},
	{"PUT", "/organizations/{id}/settings", Managers, "organization", change(changeSettings).
		platform(), "Change an organization's settings"},

	{"GET", "/audit/log", Professionals, "event", list(auditLog).sorted("position").
		platform(), "List what was recorded"},
	{"GET", "/audit/log/{position}", Professionals, "event", read(auditEntry).
		platform(), "Read what was recorded at a position"},
	{"GET", "/audit/checkpoint", Professionals, "organization", raw(checkpoint).
		showing(checkpointBody{}), "Sign the log"},
	{"POST", "/audit/verify", Professionals, "job", act(startVerify).platform().
		answering(202), "Verify the log and the read models"},
	{"POST", "/seed", Superadmin, "", act(seedDemo).platform(), "Make the demo (development mode)"},
	{"POST", "/seed/demo", Superadmin, "", act(seedDemo).platform(), "The same"},
	{"GET", "/jobs/{id}", Professionals, "job", read(readJob).platform(), "Follow long work"},
}
