
#include <linux/moduleparam.h>

/* Which rule to break: ioasid.mutant=NAME on the kernel command line */
static char ioasid_mutant[32];
module_param_string(mutant, ioasid_mutant, sizeof(ioasid_mutant), 0644);

bool ioasid_is_mutant(const char *name)
{
	return !strcmp(ioasid_mutant, name);
}
EXPORT_SYMBOL_GPL(ioasid_is_mutant);
