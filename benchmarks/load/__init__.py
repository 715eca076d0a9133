"""How much the service answers, and how soon, beside what the machine allows and beside others."""
